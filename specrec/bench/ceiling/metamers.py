"""Finds the ceiling of every test scene: which of its colours other scenes hold, and how widely their spectra spread.

The other scenes are further ones where the data set can make them, and else all scenes of the bench but the one that is
tested. They are read one at a time; what stays in memory is a table of colours.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from specrec.bench.ceiling.colour_table import COLOURS, NONE, Codes, ColourTable, colour_codes
from specrec.bench.plan import Plan
from specrec.cells.ceiling import LEAST_SCENES, TENTH, Ceiling, ceiling_path, read_ceiling, score, write_ceiling
from specrec.cells.region import region_mask
from specrec.datasets.survey import Survey
from specrec.datasets.unchanged import found_of, open_unchanged
from specrec.interfaces import Progress, Score
from specrec.scenes import Mask, Scene, TrainingScene
from specrec.spectra import Cube

MOST_READERS = 4  # scenes of some megapixels take a gigabyte each

Read = Callable[[str], tuple[Cube, Codes]]
"""Gives the scaled cube of a scene and the codes of its pixels; those that do not count are `NONE`."""


def find_ceilings(plan: Plan, facts: Survey, progress: Progress, readers: int = 1, *, anew: bool = False) -> None:
    """Store the ceiling of every tested scene in the results folder; what is there already is kept, unless `anew`.

    So many scenes are read at a time, at most 4; sums are made in their order, so that it changes no number.
    """
    folds = plan.protocol.computed_folds
    tested = sorted({name for fold in folds for name in plan.split.folds[fold].test})
    missing = [name for name in tested if anew or read_ceiling(ceiling_path(plan.folder, name)) is None]
    if not plan.protocol.ceiling or not missing:
        return
    further = plan.source.further(plan.protocol.ceiling)

    def read(scene: Scene) -> tuple[Cube, Codes]:
        return _read(TrainingScene(scene, plan.protocol.scaling, plan.protocol.quantisation), plan.protocol.region)

    def mine(name: str) -> tuple[Cube, Codes]:
        return read(open_unchanged(plan.source, name, found_of(facts.facts[name]), "the bench"))

    def other(name: str) -> tuple[Cube, Codes]:
        return mine(name) if further is None else read(further.open(name))

    if further is not None:
        others, seen, least = further.names(), missing, 1
    else:
        others, seen, least = plan.split.used, plan.split.used, LEAST_SCENES + 1  # the tested one is among them
    steps = iter(range(total := len(seen) + len(others) + len(missing)))

    def each(names: Sequence[str], read: Read) -> Iterator[tuple[str, Cube, Codes]]:
        for name, (cube, pixels) in zip(names, _read_ahead(names, read, min(readers, MOST_READERS)), strict=True):
            progress(next(steps) / total, name)
            yield name, cube, pixels

    held = _scenes_per_colour(pixels for _, _, pixels in each(seen, mine))
    codes = np.flatnonzero(held >= least).astype(np.int32)
    del held
    table = ColourTable(codes, plan.source.open(missing[0]).shape[2])
    for _, cube, pixels in each(others, other):
        table.add(pixels, cube)
    for name, cube, pixels in each(missing, mine):
        count = len(others) - (further is None)
        found = judge(cube, pixels, table, count, own_is_held=further is None)
        write_ceiling(ceiling_path(plan.folder, name), found)


def judge(cube: Cube, codes: Codes, table: ColourTable, scenes: int, *, own_is_held: bool) -> Ceiling:
    """Find the ceiling of one scene.

    Parameters
    ----------
    cube, codes
        Scaled, and the codes of its pixels; `NONE`: does not count.
    table
        Of the other scenes.
    scenes
        How many they are.
    own_is_held
        Whether the table holds this scene too: its share is then taken out.
    """
    distinct = np.unique(codes)
    own = ColourTable(distinct[distinct != NONE], cube.shape[2])
    own.add(codes, cube)
    held = table.at(own.codes)
    rest, whole = (held.minus(own), held) if own_is_held else (held, held.plus(own))
    places = own.places(codes)
    known = rest.scenes >= LEAST_SCENES
    matched = (places != NONE) & known[places] if known.size else np.zeros(codes.shape, dtype=np.bool_)
    metamers = widest(places, rest.spreads(), matched)

    def scores(means: NDArray[np.float64]) -> dict[str, Score]:
        estimate = np.zeros_like(cube)
        estimate[matched] = means.astype(np.float32)[places[matched]]
        return score(estimate, cube, matched, metamers)

    valid = int(np.count_nonzero(codes != NONE))
    return Ceiling(matched, metamers, scores(rest.means()), scores(whole.means()), valid, scenes)


def widest(places: Codes, spreads: NDArray[np.float64], matched: Mask) -> Mask:
    """Mark the tenth of the matched pixels whose colour has the widest spread.

    Whole colours are taken, the widest first and of equal ones the one of the lowest code, until a tenth is reached.

    Parameters
    ----------
    places
        Row of each pixel's colour, (height, width); rows are sorted by code.
    spreads
        Of each row.
    matched
        The pixels to choose from, (height, width) bool.
    """
    pixels = np.bincount(places[matched], minlength=spreads.size)
    there = np.flatnonzero(pixels)
    order = there[np.argsort(-spreads[there], kind="stable")]
    before = np.cumsum(pixels[order]) - pixels[order]
    chosen = np.zeros(spreads.size + 1, dtype=np.bool_)  # the last one for pixels without a row
    chosen[order[before < TENTH * pixels.sum()]] = True
    return np.asarray(matched & chosen[places])


def _read_ahead(names: Sequence[str], read: Read, readers: int) -> Iterator[tuple[Cube, Codes]]:
    """Read scenes in their order, so many at a time."""
    with ThreadPoolExecutor(readers) as pool:
        running = deque(pool.submit(read, name) for name in names[:readers])
        for name in [*names[readers:], *[None] * len(running)]:
            found = running.popleft().result()
            if name is not None:
                running.append(pool.submit(read, name))
            yield found


def _scenes_per_colour(scenes: Iterable[Codes]) -> NDArray[np.int32]:
    """Count for each of the 2^24 colours the scenes that hold it."""
    held = np.zeros(COLOURS, dtype=np.int32)
    for codes in scenes:
        here = np.unique(codes)
        held[here[here != NONE]] += 1
    return held


def _read(scene: TrainingScene, region: str) -> tuple[Cube, Codes]:
    cube = scene.cube()
    codes = colour_codes(scene.rgb_of(cube))
    codes[~(scene.mask & region_mask(region, *codes.shape))] = NONE
    return cube, codes
