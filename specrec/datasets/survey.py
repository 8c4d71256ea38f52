"""A survey: every scene of a data set read once, what it holds written down, and what is damaged named.

Facts of an undamaged scene are cached under ``surveys`` in the cache folder, keyed by the path, size and time of
change of each of its files, so a second look at a large data set reads nothing.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from specrec.cache import SURVEYS, cache_folder, written_whole
from specrec.datasets.scene_files import SceneFile, Stamp, file_names, read_files, stamps_of
from specrec.errors import STOPS, DataError, SpecrecError, in_a_line
from specrec.interfaces import Progress, SceneSource, silent
from specrec.scenes import Quantity, Scene, content_hash
from specrec.spectra import Cube, check_cube, check_wavelengths, describe_grid, is_standard_grid
from specrec.untrusted import read_json

Visit = Callable[[Scene, Cube, "SceneFacts"], None]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SceneFacts:
    """What one reading of a scene found; plain JSON values.

    Parameters
    ----------
    name
        The scene.
    shape
        (height, width, bands).
    wavelengths
        nm.
    quantity
        ``"radiance"`` or ``"reflectance"``.
    low, high
        Minimum and maximum over all bands of the valid pixels, in the source's values.
    valid_pixels
        How many there are.
    zero_share
        Share of exact zeros among the values of the valid pixels.
    sha256
        Of the cube as little-endian float32 in C order, followed by the mask as bytes: two scenes with one content
        have one hash, whatever they are called.
    files
        What it is read from; none for a scene that is made.
    """

    name: str
    shape: tuple[int, int, int]
    wavelengths: tuple[float, ...]
    quantity: Quantity
    low: float
    high: float
    valid_pixels: int
    zero_share: float
    sha256: str
    files: tuple[SceneFile, ...] = ()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "SceneFacts":
        """Read back facts that have been JSON, which has lists only; of other values, any error may come."""
        plain = dict(values)
        plain["shape"] = tuple(int(size) for size in values["shape"])
        plain["wavelengths"] = tuple(float(value) for value in values["wavelengths"])
        plain["low"], plain["high"] = float(values["low"]), float(values["high"])
        plain["files"] = tuple(SceneFile(**file) for file in values["files"])
        return cls(**plain)


@dataclass(frozen=True)
class Survey:
    """What a survey found, in the order it was asked for.

    Parameters
    ----------
    facts
        By name, of the scenes that can be used.
    damaged
        By name, one sentence on each scene that cannot.
    """

    facts: dict[str, SceneFacts] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)


def survey(
    source: SceneSource, names: Iterable[str], progress: Progress = silent, *, visit: Visit | None = None
) -> Survey:
    """Read every scene once, one in memory at a time, or take its facts from the cache.

    Parameters
    ----------
    source
        The data set.
    names
        Of the scenes to look at.
    progress
        Called before each scene.
    visit
        Called with each undamaged scene, its cube and its facts; every scene is then read anew, whatever the cache
        holds.
    """
    result = Survey()
    wanted = list(names)
    for done, name in enumerate(wanted):
        progress(done / len(wanted), name)
        try:
            result.facts[name] = _look(source, name, visit)
        except STOPS:
            raise
        except (SpecrecError, OSError) as error:
            result.damaged[name] = str(error)
        except BaseException as error:  # a plugin's data set may raise anything
            result.damaged[name] = f"reading it fails: {in_a_line(error)}"
    progress(1.0, f"{len(wanted)} scenes")
    return result


def check_rendered_grid(found: Survey) -> None:
    """Refuse scenes that cannot be rendered, before any work is spent on them.

    Raises
    ------
    DataError
        For the first scene whose bands are not 400, 410, .. 700 nm.
    """
    for name, facts in found.facts.items():
        if not is_standard_grid(facts.wavelengths):
            have = describe_grid(facts.wavelengths)
            raise DataError(
                f"scene {name} has {have}; training and testing need the 31 bands 400-700 nm, 10 nm apart;"
                " resample it (specrec convert --grid), or let its data set do so"
            )


def examine(scene: Scene, cube: Cube) -> SceneFacts:
    """Write down what the cube of a whole scene holds.

    Raises
    ------
    DataError
        If it holds NaN, does not match its wavelengths or shape, has no valid pixel, or is constant.
    """
    where = f"{scene.name} ({scene.provenance})"
    wavelengths = check_wavelengths(scene.wavelengths, where)
    cube, mask = check_cube(cube, wavelengths, where), scene.mask
    if cube.shape != scene.shape or mask.shape != cube.shape[:2]:
        raise DataError(f"{where}: promised {scene.shape}, read {cube.shape} with a mask of {mask.shape}")
    valid_pixels = int(mask.sum())
    if valid_pixels == 0:
        raise DataError(f"{where}: no pixel of the scene is valid")
    valid = mask[..., np.newaxis]
    low = float(cube.min(initial=np.inf, where=valid))
    high = float(cube.max(initial=-np.inf, where=valid))
    if not high > low:
        raise DataError(f"{where}: every valid value is {low:g}, and a constant cube cannot be scaled")
    zeros = int(((cube == 0.0) & valid).sum())
    return SceneFacts(
        name=scene.name,
        shape=scene.shape,
        wavelengths=tuple(wavelengths.tolist()),
        quantity=scene.quantity,
        low=low,
        high=high,
        valid_pixels=valid_pixels,
        zero_share=zeros / (valid_pixels * cube.shape[2]),
        sha256=content_hash(cube, mask),
    )


def _look(source: SceneSource, name: str, visit: Visit | None) -> SceneFacts:
    scene = source.open(name)
    if scene.name != name:
        raise DataError(f"the data set {source.name!r} was asked for {name!r} and gave a scene called {scene.name!r}")
    names = file_names(source, name)
    stamps = stamps_of(source.path, names)
    entry = _entry(source, scene, stamps)
    if visit is None and (cached := _read_entry(entry, scene, stamps)) is not None:
        return cached
    cube = scene.cube()
    facts = replace(examine(scene, cube), files=read_files(source, stamps))
    if stamps_of(source.path, names) != stamps:
        raise DataError(f"{name}: its files change while they are read; start again when they are whole")
    if visit is not None:
        visit(scene, cube, facts)
    try:
        with written_whole(entry) as temporary:
            temporary.write_text(json.dumps(asdict(facts)))
    except SpecrecError as error:  # without a cache the next look takes longer, and nothing else changes
        _log.warning("the survey of %s is not cached: %s", name, error)
    return facts


def _entry(source: SceneSource, scene: Scene, stamps: list[Stamp]) -> Path:
    """Name the cache file of a scene as it is now."""
    here = (source.path or Path()).resolve()
    made_of = [(str(here / name), *stamp) for name, *stamp in stamps] or scene.provenance
    key = json.dumps([version("specrec"), source.name, dict(source.settings), scene.name, made_of], sort_keys=True)
    return cache_folder() / SURVEYS / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _read_entry(path: Path, scene: Scene, stamps: list[Stamp]) -> SceneFacts | None:
    """Read a cache file; one that is not there, not whole or of another scene counts for nothing."""
    try:
        facts = SceneFacts.from_json(read_json(path))
        same = (facts.name, facts.shape) == (scene.name, scene.shape)
        return facts if same and [file.stamp for file in facts.files] == stamps else None
    except (OSError, ValueError, TypeError, KeyError):
        return None
