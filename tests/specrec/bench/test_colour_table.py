"""Sums by colour equal plain loops, also with one scene taken out again."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from specrec.bench.ceiling.colour_table import NONE, Codes, ColourTable, colour_codes
from specrec.errors import SpecrecError
from specrec.spectra import Cube

BANDS = 5


def scene(seed: int, colours: int = 9) -> tuple[Codes, Cube]:
    """Codes of few colours, some pixels that do not count, and spectra that no two pixels share."""
    rng = np.random.default_rng(seed)
    codes = (rng.integers(0, colours, (6, 7)) * 1_700_001).astype(np.int32)
    codes[rng.random(codes.shape) < 0.2] = NONE
    return codes, rng.random((6, 7, BANDS), dtype=np.float32)


def plainly(scenes: list[tuple[Codes, Cube]]) -> dict[int, tuple[int, int, Any, float]]:
    """Pixels, scenes, mean and spread of each colour."""
    spectra: dict[int, list[Any]] = defaultdict(list)
    where: dict[int, set[int]] = defaultdict(set)
    for index, (codes, cube) in enumerate(scenes):
        for row in range(codes.shape[0]):
            for column in range(codes.shape[1]):
                code = int(codes[row, column])
                if code != NONE:
                    spectra[code].append(cube[row, column].astype(np.float64))
                    where[code].add(index)
    found = {}
    for code, some in spectra.items():
        mean = sum(some) / len(some)
        spread = np.sqrt(sum(float(((one - mean) ** 2).sum()) for one in some) / (len(some) * BANDS))
        found[code] = (len(some), len(where[code]), mean, float(spread))
    return found


def table_of(scenes: list[tuple[Codes, Cube]], codes: Any) -> ColourTable:
    table = ColourTable(np.asarray(codes, dtype=np.int32), BANDS)
    for pixels, cube in scenes:
        table.add(pixels, cube)
    return table


def check(table: ColourTable, expected: dict[int, tuple[int, int, Any, float]]) -> None:
    means, spreads = table.means(), table.spreads()
    for row, code in enumerate(table.codes.tolist()):
        pixels, scenes, mean, spread = expected.get(code, (0, 0, np.zeros(BANDS), 0.0))
        assert (table.pixels[row], table.scenes[row]) == (pixels, scenes)
        np.testing.assert_allclose(means[row], mean, rtol=1e-12, atol=1e-14)
        assert spreads[row] == pytest.approx(spread, rel=1e-7, abs=1e-7)


def test_the_number_of_a_colour_is_that_of_its_rounded_levels() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (5, 4, 3))
    codes = colour_codes((levels / 255.0).astype(np.float32))
    for place in np.ndindex(5, 4):
        red, green, blue = (int(level) for level in levels[place])
        assert codes[place] == 65536 * red + 256 * green + blue


def test_sums_means_and_spreads_equal_plain_loops_and_other_colours_are_passed_over() -> None:
    scenes = [scene(seed) for seed in range(4)]
    kept = [0, 1_700_001, 3 * 1_700_001, 4 * 1_700_001 + 1]  # the last one is in no scene
    check(table_of(scenes, kept), plainly(scenes))


def test_the_layout_of_a_cube_changes_nothing() -> None:
    codes, cube = scene(0)
    turned = np.asfortranarray(cube)
    one, two = (table_of([(codes, each)], np.unique(codes)[1:]) for each in (cube, turned))
    np.testing.assert_array_equal(one.sums, two.sums)


def test_a_scene_taken_out_leaves_the_others_alone_and_exactly_nothing_where_there_are_none() -> None:
    scenes = [
        scene(seed, colours) for seed, colours in ((0, 5), (1, 5), (2, 9))
    ]  # four colours are in the last one only
    every = np.unique(np.concatenate([codes[codes != NONE] for codes, _ in scenes]))
    table = table_of(scenes, every)
    own = table_of(scenes[2:], np.unique(scenes[2][0])[1:])
    rest = table.at(own.codes).minus(own)
    check(rest, plainly(scenes[:2]))
    alone = rest.pixels == 0
    assert alone.sum() == 4
    assert not rest.sums[alone].any()
    assert not rest.squares[alone].any()
    check(rest.plus(own), plainly(scenes))


def test_a_colour_that_a_table_does_not_hold_has_no_pixel() -> None:
    table = table_of([scene(0)], [0, 1_700_001])
    check(table.at(np.int32([1, 1_700_001])), {1_700_001: plainly([scene(0)])[1_700_001]})


def test_a_table_that_memory_does_not_hold_says_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specrec.bench.ceiling.colour_table.available_memory", lambda: 1 << 20)
    with pytest.raises(SpecrecError, match=r"table of 3 colours needs 0\.1 GB, .* pass --ceiling 0"):
        ColourTable(np.int32([1, 2, 3]), 31)
