"""The ceiling: equal to plain loops, out of reach of what sees one colour, in reach of what sees its surroundings."""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from click.testing import CliRunner

import specrec
from specrec.bench import protocol
from specrec.bench.ceiling.colour_table import NONE, ColourTable, colour_codes
from specrec.bench.ceiling.metamers import judge, widest
from specrec.bench.results import Results
from specrec.bench.run import bench
from specrec.bench.watching import Watcher
from specrec.cells.ceiling import COLUMNS, LEAST_SCENES, SHOWN, TENTH, Ceiling, ceiling_path, read_ceiling
from specrec.cli import command
from specrec.datasets.synthetic.source import SyntheticSource, cached_file
from specrec.errors import SpecrecError, UsageError
from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor, SceneSource
from specrec.parameters import Parameter
from specrec.registry import registry
from specrec.rendering import xyz_weights
from specrec.spectra import WAVELENGTHS, Cube

SYNTHETIC = "synthetic[scenes=4,size=32]"
COLOURS = 8


@pytest.fixture(autouse=True)
def no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than everything else here."""
    monkeypatch.setattr("specrec.bench.written_tables.draw_figure", lambda *_: False)


def palette() -> tuple[Any, Any]:
    """Greys, (8, 31), and what makes two metamers of each: of length growing with its index, and invisible."""
    levels = np.linspace(0.25, 0.75, COLOURS)
    base = np.repeat(levels[:, np.newaxis], 31, axis=1)
    random = np.random.default_rng(5).standard_normal((COLOURS, 31))
    unseen = random - random @ np.linalg.pinv(xyz_weights()).T @ xyz_weights().T
    unseen *= 0.02 * (1 + np.arange(COLOURS))[:, np.newaxis] / np.abs(unseen).max(axis=1, keepdims=True)
    return base, unseen


def toy_cube(seed: int, *, linked: bool) -> Cube:
    """Pairs of pixels: a marker, black or white, and at its right a colour in one of its two metamers.

    Every scene holds both metamers of every colour equally often. Linked: the marker says which one it is; otherwise
    it stands beside each equally often.
    """
    base, unseen = palette()
    rows = []
    for colour in range(COLOURS):
        for marker in (0, 1):
            for sign in (1, -1) if not linked else (1 - 2 * marker,) * 2:
                rows.append(np.stack([np.full(31, float(marker)), base[colour] + sign * unseen[colour]]))
    order = np.random.default_rng(seed).permutation(len(rows))
    return np.stack([rows[index] for index in order]).astype(np.float32)  # (32, 2, 31)


@pytest.fixture(params=[True, False], ids=["linked", "null"])
def toy(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, bool]:
    folder = tmp_path / "toy"
    folder.mkdir()
    for index in range(2 * LEAST_SCENES):
        cube = toy_cube(index, linked=request.param)
        specrec.write_cube(folder / f"s{index}.h5", cube, WAVELENGTHS, {"quantity": "radiance"})
    return folder, request.param


class Lookup(Reconstructor):
    """Remembers the mean spectrum of each colour, or of each colour and its left neighbour's."""

    name = "lookup"
    summary = "for tests"
    parameters: ClassVar = {"neighbour": Parameter(False, "whether to look at the pixel at the left")}

    def fit(self, scenes: Any, context: Any) -> "Lookup":
        found = defaultdict(list)
        for scene in scenes:
            cube, keys = scene.cube(), self._keys(scene.rgb())
            for place in np.ndindex(*keys.shape):
                found[keys[place]].append(cube[place])
        self.means_ = {key: np.mean(spectra, axis=0, dtype=np.float64) for key, spectra in found.items()}
        return self

    def _keys(self, rgb: Any) -> Any:
        codes = colour_codes(rgb).astype(np.int64)
        return codes if not self.settings["neighbour"] else codes * (1 << 24) + np.roll(codes, 1, axis=1)

    def reconstruct(self, rgb: Any) -> Any:
        keys = self._keys(rgb)
        nothing = np.full(31, 0.5)
        spectra = [self.means_.get(key, nothing) for key in keys.ravel().tolist()]
        return np.float32(spectra).reshape(*keys.shape, 31)

    def state(self) -> Any:
        return {}, {}

    @classmethod
    def from_state(cls, settings: Any, arrays: Any, config: Any) -> "Lookup":
        return cls(**settings)


@pytest.fixture
def lookup() -> Iterator[None]:
    registry().add(SimpleNamespace(specrec_reconstructors=hookimpl(lambda: [Lookup])), "lookup-distribution")
    yield
    del registry().reconstructors["lookup"]


@pytest.mark.usefixtures("lookup")
def test_no_function_of_one_colour_gets_under_the_ceiling_and_context_does_where_it_tells(
    toy: tuple[Path, bool], tmp_path: Path
) -> None:
    folder, linked = toy
    results = bench(
        "lookup,lookup[neighbour=true],mean,linear", "folder", folder, output=tmp_path / "r", jobs=0, device="cpu"
    )
    assert results.failed == ()
    lengths = 255 * np.sqrt(np.square(palette()[1]).mean(axis=1))
    widest_two = np.sort(lengths)[-2:]  # 8 of the 64 pixels
    expected = {"rmse@matched": lengths.mean() / 2, "rmse@metamers": widest_two.mean()}  # half the pixels are markers
    for metric, value in expected.items():
        assert results.value("ceiling", metric) == pytest.approx(value, rel=1e-4)
        assert results.value("lookup", metric) == pytest.approx(value, rel=1e-4)
        for method in ("lookup", "mean", "linear"):
            assert results.value(method, metric) > value - 1e-4
        context = results.value("lookup[neighbour=true]", metric)
        assert context < 1e-3 if linked else context == pytest.approx(value, rel=1e-4)
    assert f"ceiling: each pixel gets the mean spectrum of its colour in {2 * LEAST_SCENES - 1} other scenes. 0.0%" in (
        results.table()
    )


def random_scenes(count: int) -> list[tuple[Any, Any]]:
    """Scaled cubes whose spectra depend on the scene, and codes of colours that not all scenes hold."""
    scenes = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        codes = rng.integers(0, 3 + 2 * seed, (7, 6)).astype(np.int32) * 70_001
        codes[rng.random((7, 6)) < 0.15] = NONE
        scenes.append((rng.random((7, 6, 31), dtype=np.float32), codes))
    return scenes


def plainly(test: tuple[Any, Any], others: list[tuple[Any, Any]]) -> tuple[Any, Any, Any]:
    """Masks and errors of one scene, pixel by pixel."""
    cube, codes = test
    spectra: dict[int, list[Any]] = defaultdict(list)
    scenes: dict[int, set[int]] = defaultdict(set)
    for index, (other, theirs) in enumerate(others):
        for place in np.ndindex(*theirs.shape):
            spectra[int(theirs[place])].append(other[place].astype(np.float64))
            scenes[int(theirs[place])].add(index)
    matched = np.zeros(codes.shape, dtype=np.bool_)
    errors, spreads, count = np.zeros(codes.shape), {}, defaultdict(int)
    for place in np.ndindex(*codes.shape):
        code = int(codes[place])
        if code == NONE or len(scenes[code]) < LEAST_SCENES:
            continue
        matched[place] = True
        count[code] += 1
        mean = np.mean(spectra[code], axis=0)
        errors[place] = 255 * np.sqrt(np.mean((cube[place] - mean) ** 2))
        spreads[code] = np.sqrt(np.mean([(one - mean) ** 2 for one in spectra[code]]))
    metamers, taken = np.zeros(codes.shape, dtype=np.bool_), 0
    for code in sorted(spreads, key=lambda code: (-spreads[code], code)):
        if taken >= TENTH * matched.sum():
            break
        metamers |= matched & (codes == code)
        taken += count[code]
    return matched, metamers, errors


@pytest.mark.parametrize("own_is_held", [True, False], ids=["one left out", "further scenes"])
def test_a_scenes_ceiling_equals_plain_loops(own_is_held: bool) -> None:
    scenes = random_scenes(7)
    test, others = scenes[-1], scenes[:-1]  # which has colours that few others hold
    table = ColourTable(np.arange(20, dtype=np.int32) * 70_001, 31)
    for cube, codes in scenes if own_is_held else others:
        table.add(codes, cube)
    found = judge(*test, table, len(others), own_is_held=own_is_held)
    matched, metamers, errors = plainly(test, others)
    assert 0 < metamers.sum() < matched.sum() < found.valid_pixels == (test[1] != NONE).sum()
    np.testing.assert_array_equal(found.matched, matched)
    np.testing.assert_array_equal(found.metamers, metamers)
    for name, mask in (("rmse@matched", matched), ("rmse@metamers", metamers)):
        assert found.scores[name].value == pytest.approx(errors[mask].mean(), rel=1e-5)
        assert found.scores[name].weight == mask.sum()
        assert found.flattered[name].value < found.scores[name].value
        squares = found.scores[name.replace("rmse", "mse")]
        assert squares.value == pytest.approx(np.square(errors[mask]).mean(), rel=1e-5)
        assert squares.weight == mask.sum()


def test_where_no_colour_has_a_match_nothing_counts() -> None:
    cube, codes = random_scenes(1)[0]
    found = judge(cube, codes, ColourTable(np.int32([1]), 31), 0, own_is_held=False)
    assert not found.matched.any()
    assert {one.weight for one in found.scores.values()} == {0.0}
    nothing = judge(cube, np.full_like(codes, NONE), ColourTable(np.int32([]), 31), 0, own_is_held=False)
    assert (nothing.valid_pixels, nothing.metamers.any()) == (0, False)


@pytest.mark.parametrize(
    ("spreads", "chosen"),
    [
        ([1.0, 3.0, 3.0, 2.0], [1]),  # of equal ones the lower code, and five of forty pixels are enough
        ([9.0, 0.0, 0.0, 0.0], [0]),  # whole colours: twenty pixels are more than a tenth
        ([1.0, 1.0, 1.0, 9.0], [3, 0]),  # one pixel is too few
    ],
)
def test_the_widest_tenth_is_made_of_whole_colours(spreads: list[float], chosen: list[int]) -> None:
    places = np.repeat(np.int32([0, 1, 2, 3, -1]), [20, 5, 14, 1, 2]).reshape(6, 7)
    matched = places >= 0
    found = widest(places, np.array(spreads), matched)
    np.testing.assert_array_equal(found, np.isin(places, chosen))
    assert not widest(places, np.array(spreads), np.zeros_like(matched)).any()


def test_further_synthetic_scenes_follow_the_last_one_and_are_not_kept() -> None:
    source = SyntheticSource(scenes=3, size=32, first=2, world=7, worlds=2)
    further = source.further(2)
    assert further.names() == ["world7-scene006", "world8-scene005"]
    plain = SyntheticSource(scenes=2, size=32, first=5, world=7, worlds=2)
    for name in further.names():
        scene = further.open(name)
        cube, mask = scene.cube(), scene.mask
        assert not cached_file(plain._recipes[name]).exists()
        np.testing.assert_array_equal(cube, plain.open(name).cube())
        np.testing.assert_array_equal(mask, plain.open(name).mask)


def test_a_data_set_of_files_has_no_further_scenes() -> None:
    assert SceneSource.further(SyntheticSource(), 3) is None


class Phases(Watcher):
    """Counts how often the ceiling was looked for."""

    def __init__(self) -> None:
        self.looked = 0

    def phase(self, words: str, done: float) -> None:
        assert 0 <= done <= 1
        self.looked += words.startswith("finding the ceiling")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, own_cache: None) -> Results:
    """Two methods beside a ceiling of 24 further scenes; tests only read it."""
    folder = tmp_path_factory.mktemp("ceiling")
    return bench("mean,linear", SYNTHETIC, ceiling=24, output=folder, limit=2, jobs=0, device="cpu")


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Results]:
    def start(methods: str = "linear", **options: Any) -> Results:
        chosen = {"dataset": SYNTHETIC, "ceiling": 24, "output": tmp_path / "r", "limit": 2, "jobs": 0, "device": "cpu"}
        return bench(methods, **{**chosen, **options})

    return start


def test_the_ceiling_stands_in_every_form_of_the_table_with_its_footnote(done: Results) -> None:
    results = done
    assert results.metrics[-2:] == SHOWN
    row = next(row for row in results.rows if row.diagnostic and row.part == "weighted")
    assert (row.method, row.slug, set(row.numbers)) == ("ceiling", "", set(SHOWN))
    for form in ("table", "md", "tex"):
        table = results.table(form)
        assert "ceiling (diagnostic)" in table
        assert "spectrum of its colour in 24 other scenes" in table
    rows = list(csv.DictReader(results.table("csv").splitlines()))
    (line,) = [line for line in rows if line["method"] == "ceiling" and line["part"] == "weighted"]
    assert float(line["rmse@matched"]) == row.numbers["rmse@matched"].mean
    assert line["rmse"] == ""
    plain = json.loads(results.table("json"))
    assert [one["method"] for one in plain["rows"]].count("ceiling") == 3
    assert any("other scenes" in note for note in plain["notes"])


def test_the_row_is_the_mean_of_the_images_by_their_pixels_and_methods_have_the_same_ones(done: Results) -> None:
    images = [image for record in done.records.values() for image in record["images"]]
    for metric in SHOWN:
        scores = [found.scores[metric] for found in done.ceilings.values()]
        mean = sum(one.value * one.weight for one in scores) / sum(one.weight for one in scores)
        assert done.value("ceiling", metric) == pytest.approx(mean, rel=1e-12)
        for image in images:
            assert set(COLUMNS) < set(image["scores"])
            assert image["scores"][metric][1] == done.ceilings[image["scene"]].scores[metric].weight


def test_with_too_few_other_scenes_the_row_is_empty_and_the_footnote_says_so(start: Callable[..., Results]) -> None:
    results = start(ceiling=LEAST_SCENES - 1)
    assert not any(set(row.numbers) & set(SHOWN) for row in results.rows)
    start_of_row = "| ceiling (diagnostic) | weighted |"
    (line,) = (line for line in results.table("md").splitlines() if line.startswith(start_of_row))
    assert set(line.removeprefix(start_of_row).split()) == {"-", "|"}
    assert "ceiling: no colour is held by 4 of 3 other scenes, so there is none to be known." in results.table("md")
    assert "too low" not in results.table("md")


def test_masks_hold_valid_pixels_of_the_region_alone(start: Callable[..., Results], tmp_path: Path) -> None:
    text = "dataset = 'synthetic'\nregion = 'crop:5'\nceiling = 24\noptions = { scenes = 4, size = 64 }\n"
    (tmp_path / "mine.toml").write_text(text)
    results = start("mean", dataset=None, protocol=str(tmp_path / "mine.toml"), ceiling=None)
    source = SyntheticSource(scenes=4, size=64)
    assert sum(int(found.matched.sum()) for found in results.ceilings.values()) > 50
    for name, found in results.ceilings.items():
        outside = ~source.open(name).mask
        inside = np.zeros((64, 64), dtype=np.bool_)
        inside[5:-5, 5:-5] = True
        assert not (found.matched & (outside | ~inside)).any()
        assert not (found.metamers & ~found.matched).any()
        assert found.valid_pixels == (inside & ~outside).sum()


def test_a_second_start_looks_for_nothing_and_a_lost_file_is_made_again_alike(start: Callable[..., Results]) -> None:
    first, second, third = Phases(), Phases(), Phases()
    table = start(watcher=first).table("csv")
    results = start("linear,mean", watcher=second)
    assert (first.looked > 0, second.looked) == (True, 0)
    lost = ceiling_path(results.folder, next(iter(results.ceilings)))
    before = read_ceiling(lost)
    lost.unlink()
    assert start(watcher=third).table("csv") != table  # mean stands there now
    assert third.looked > 0
    after = read_ceiling(lost)
    assert isinstance(before, Ceiling)
    assert isinstance(after, Ceiling)
    np.testing.assert_array_equal(after.metamers, before.metamers)
    assert (after.scores, after.flattered) == (before.scores, before.flattered)


def test_cells_in_processes_of_their_own_have_the_same_numbers(done: Results, tmp_path: Path) -> None:
    again = bench("mean,linear", SYNTHETIC, ceiling=24, output=tmp_path, limit=2, jobs=2, device="cpu")
    assert again.table("csv") == done.table("csv")


def test_results_without_a_ceiling_are_not_continued_with_one(start: Callable[..., Results]) -> None:
    results = start(ceiling=0)
    assert not (results.folder / "ceiling").exists()
    assert not set(results.metrics) & set(COLUMNS)
    assert "ceiling" not in results.table("csv")
    with pytest.raises(UsageError, match=r"settings\.ceiling was 0, is now 24"):
        start()
    assert start(overwrite=True).value("ceiling", "rmse@matched") > 0


def test_columns_can_be_chosen_and_need_a_ceiling(start: Callable[..., Results]) -> None:
    results = start(metrics="rmse,rmse@metamers")
    assert results.metrics == ("rmse", "rmse@metamers")
    assert results.value("ceiling", "rmse@metamers") > 0
    assert "ceiling" not in start(metrics="rmse").table("csv")
    with pytest.raises(UsageError, match="rmse@metamers needs a ceiling, and there is none here; specrec bench --ceil"):
        start(metrics="rmse,rmse@metamers", ceiling=0)


def test_a_damaged_file_or_one_of_another_rule_is_named(start: Callable[..., Results]) -> None:
    import h5py

    results = start()
    path = ceiling_path(results.folder, next(iter(results.ceilings)))
    with h5py.File(path, "r+") as file:
        file.attrs["rule"] = "another"
    with pytest.raises(SpecrecError, match=rf"{path.name} follows another rule \(another, not matched.*--overwrite"):
        start()
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(SpecrecError, match=rf"{path.name} is damaged .* remove it"):
        start()
    assert start(overwrite=True).ceilings


def test_training_scenes_are_not_scored_on_it_and_one_tested_fold_is_enough(
    start: Callable[..., Results], tmp_path: Path
) -> None:
    text = "dataset = 'synthetic'\ntested = [1]\nscore_training = 1\nceiling = 24\n"
    text += "options = { scenes = 4, size = 64 }\n"
    (tmp_path / "mine.toml").write_text(text)
    results = start("mean", dataset=None, protocol=str(tmp_path / "mine.toml"), ceiling=None)
    parts = {(row.method, row.part): set(row.numbers) & set(SHOWN) for row in results.rows}
    assert parts == {
        ("mean", "fold 1"): set(SHOWN),
        ("mean", "fold 1 (training)"): set(),
        ("ceiling", "fold 1"): set(SHOWN),
    }
    assert len(results.ceilings) == 2


def test_a_protocol_without_levels_has_no_ceiling() -> None:
    with pytest.raises(UsageError, match="ceiling must be 0 where quantisation is none"):
        protocol.parse("dataset = 'cave'\nquantisation = 'none'\nceiling = 1", "mine")


def test_the_option_and_the_list_of_metrics_say_what_the_columns_are(tmp_path: Path) -> None:
    listed = CliRunner().invoke(command, ["metrics"]).output
    for name, metric in COLUMNS.items():
        assert name in listed
        assert metric.definition in listed
    words = ["bench", "-m", "mean", "-d", SYNTHETIC, "--limit", "2", "-o", str(tmp_path / "r"), "-j", "0", "-q"]
    said = CliRunner().invoke(command, [*words, "--ceiling", "0"])
    assert said.exit_code == 0, said.output
    assert "rmse@matched" not in said.output
