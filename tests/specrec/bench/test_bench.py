"""The harness on the controls and on small synthetic scenes: what it writes, repeats, resumes and refuses."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import h5py
import numpy as np
import pytest

import specrec
from specrec.bench.results import Results, read_results
from specrec.bench.run import bench
from specrec.bench.watching import Watcher
from specrec.cli.bench import command
from specrec.cli.progress import BenchProgress, Line
from specrec.errors import DataError, PartialFailureError, PluginError, SpecrecError, UsageError
from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor
from specrec.parameters import Parameter
from specrec.registry import registry

DATA = "synthetic[scenes=4,size=32]"
FILES = ("table.md", "table.csv", "table.tex", "table.json")


def small(tmp_path: Path, methods: str | None = "mean,linear", **options: Any) -> Results:
    fixed = {"dataset": DATA, "limit": 2, "output": tmp_path / "results", "jobs": 0, "device": "cpu", "ceiling": 0}
    options = {**fixed, **options}
    return bench(methods, **options)


def tables(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text("utf-8") for name in FILES}


class Trouble(Reconstructor):
    """Fits nothing; reconstructs what a test asks for."""

    name = "trouble"
    summary = "for tests"
    parameters: ClassVar = {"kind": Parameter("nan", "what goes wrong")}

    def fit(self, scenes: Any, context: Any) -> "Trouble":
        if self.settings["kind"] == "raises":
            raise RuntimeError("it broke\nin two lines")
        return self

    def reconstruct(self, rgb: Any) -> Any:
        bad = {
            "nan": np.full((*rgb.shape[:2], 31), np.nan, np.float32),
            "shape": np.zeros((1, 1, 31), np.float32),
            "double": np.zeros((*rgb.shape[:2], 31), np.float64),
            "zero": np.zeros((*rgb.shape[:2], 31), np.float32),
        }
        return bad[str(self.settings["kind"])]

    def state(self) -> Any:
        return {}, {}

    @classmethod
    def from_state(cls, settings: Any, arrays: Any, config: Any) -> "Trouble":
        return cls(**settings)


@pytest.fixture
def trouble() -> Iterator[None]:
    plugin = SimpleNamespace(specrec_reconstructors=hookimpl(lambda: [Trouble]))
    registry().add(plugin, "trouble-distribution")
    yield
    del registry().reconstructors["trouble"]


def test_a_bench_writes_manifest_cells_tables_and_figure(tmp_path: Path) -> None:
    results = small(tmp_path)
    folder = tmp_path / "results"
    cells = sorted(path.relative_to(folder).as_posix() for path in folder.glob("cells/*/*.json"))
    assert len(cells) == 4
    assert all(path.stat().st_size > 0 for path in (folder / name for name in (*FILES, "manifest.json", "figure.png")))
    record = json.loads((folder / cells[0]).read_text())
    for key in ("images", "curve", "fit_seconds", "fit_cpu_seconds", "reconstruct_seconds", "peak_memory_bytes"):
        assert key in record
    assert set(record["images"][0]["scores"]) == set(registry().metrics)
    assert results.failed == ()
    assert not list(folder.rglob(".*")), "a temporary file was left"


def test_a_fitted_method_gets_the_protocols_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    kind = registry().reconstructor("mean")
    plain = kind.reconstruct
    monkeypatch.setattr(kind, "reconstruct", lambda self, rgb: (used.append(self.threads), plain(self, rgb))[1])
    text = "dataset = 'synthetic'\noptions = {scenes = 4, size = 32}\n"
    for threads in (1, 2):
        used.clear()
        (tmp_path / f"{threads}.toml").write_text(f"{text}threads = {threads}\n")
        bench("mean", protocol=str(tmp_path / f"{threads}.toml"), output=tmp_path / str(threads), jobs=0, device="cpu")
        assert used[:2] == [threads] * 2  # of the first fold
        assert set(used) == {threads}
        assert 4 + 2 <= len(used) <= 4 + 6  # and one pass for memory and up to five for seconds, in one of the folds
    one, two = (read_results(tmp_path / str(threads)).value("mean") for threads in (1, 2))
    assert one == two


def test_the_table_is_the_mean_of_the_images_by_their_weights(tmp_path: Path) -> None:
    results = small(tmp_path)
    records = [record for (slug, _, _), record in results.records.items() if slug.startswith("mean")]
    scores = [image["scores"]["rmse"] for record in records for image in record["images"]]
    expected = sum(value * weight for value, weight, _ in scores) / sum(weight for _, weight, _ in scores)
    assert results.value("mean") == pytest.approx(expected, rel=1e-12)
    fold = [image["scores"]["rmse"] for image in records[0]["images"]]
    of_fold = sum(value * weight for value, weight, _ in fold) / sum(weight for _, weight, _ in fold)
    assert results.value("mean", part=f"fold {records[0]['fold']}") == pytest.approx(of_fold, rel=1e-12)


def test_saved_cubes_give_the_same_numbers(tmp_path: Path) -> None:
    small(tmp_path, "linear", save_cubes=True)
    folder = tmp_path / "results"
    for path in folder.glob("cells/*/*.json"):
        record = json.loads(path.read_text())
        for image in record["images"]:
            name = f"{image['scene']}.h5"
            with h5py.File(folder / "cubes" / record["slug"] / path.stem / name) as file:
                estimate, mask = file["cube"][:].astype(float), file["mask"][:]
            with h5py.File(folder / "cubes" / "reference" / name) as file:
                reference = file["cube"][:].astype(float)
            rmse = 255 * np.sqrt(((estimate - reference) ** 2).mean(-1))[mask].mean()
            assert image["scores"]["rmse"][0] == pytest.approx(rmse, rel=1e-6)
            assert image["scores"]["rmse"][1] == mask.sum() == image["valid_pixels"]


def test_jobs_and_the_other_methods_change_no_number(tmp_path: Path) -> None:
    networks = "gan[branches=3,width=8,crop=32,steps=4],pixel[steps=4,batch=128]"
    alone = small(tmp_path / "a", networks, jobs=0)
    processes = small(tmp_path / "b", f"mean,{networks},arad[atoms=50]", jobs=2)
    compared = 0
    for row in alone.rows:
        for metric, number in row.numbers.items():
            assert number.mean == processes.value(row.method, metric, row.part)
            compared += 1
    assert compared == 2 * 3 * 5


def test_the_same_seed_gives_the_same_table_twice(tmp_path: Path) -> None:
    small(tmp_path / "a", "mean,pixel[steps=5]")
    small(tmp_path / "b", "mean,pixel[steps=5]")
    assert tables(tmp_path / "a" / "results") == tables(tmp_path / "b" / "results")


def test_tiles_change_no_number_and_separate_ones_have_a_footnote_with_their_cost(tmp_path: Path) -> None:
    method = "gan[branches=3,width=8,crop=32,steps=4]"
    exact = small(tmp_path / "a", f"{method},linear")
    tiled = small(tmp_path / "c", method, tiles="8")
    assert tiled.value(method) == pytest.approx(exact.value(method), abs=1e-4)
    assert next(iter(tiled.records.values()))["tiles"] == "8"
    assert "separate" not in tiled.table("md")
    results = small(tmp_path / "b", f"{method},linear", tiles="separate:16")
    cost = results.value(method) - exact.value(method)
    assert abs(cost) > 1e-4
    numbers = f"{cost:+.4f} ({results.value(method):.4f}, exactly {exact.value(method):.4f})"
    for form in ("table", "md", "tex"):
        assert f"{method}: separate tiles of 16 cost {numbers} RMSE, within 2 pixels of a seam" in results.table(form)
    assert results.value("linear") == exact.value("linear")
    for record in results.records.values():
        for image in record["images"]:
            assert image["separate_tiles"]["overall"][0] == pytest.approx(image["scores"]["rmse"][0])
            assert image["valid_pixels"] == image["separate_tiles"]["overall"][2] > image["separate_tiles"]["near"][2]
    assert read_results(results.folder).table("md") == results.table("md")


def test_a_second_start_does_only_what_is_missing(tmp_path: Path) -> None:
    small(tmp_path)
    folder = tmp_path / "results"
    before = {path: path.stat().st_mtime_ns for path in folder.glob("cells/*/*.json")}
    expected = tables(folder)
    lost = sorted(before)[0]
    lost.unlink()
    small(tmp_path)
    after = {path: path.stat().st_mtime_ns for path in folder.glob("cells/*/*.json")}
    assert [path for path in before if before[path] != after[path]] == [lost]
    assert tables(folder) == expected


def test_asking_for_cubes_later_computes_the_cells_again(tmp_path: Path) -> None:
    small(tmp_path, "mean")
    assert not (tmp_path / "results" / "cubes").exists()
    small(tmp_path, "mean", save_cubes=True)
    assert len(list((tmp_path / "results" / "cubes").rglob("*.h5"))) == 8  # four estimates, four references


def test_something_else_in_the_same_folder_is_an_error_that_names_the_difference(tmp_path: Path) -> None:
    small(tmp_path, "mean")
    with pytest.raises(UsageError, match=r"settings\.seed was 0, is now 1"):
        small(tmp_path, "mean", seed=1)
    assert small(tmp_path, "mean", seed=1, overwrite=True).manifest.settings["seed"] == 1


def test_other_columns_of_the_same_cells_are_fine(tmp_path: Path) -> None:
    small(tmp_path, "mean")
    results = small(tmp_path, "mean", metrics="sam,psnr")
    assert results.metrics == ("sam", "psnr")
    assert results.value("mean", "sam") > 0


def test_a_method_added_later_joins_the_table(tmp_path: Path) -> None:
    small(tmp_path, "mean")
    assert [row.method for row in small(tmp_path, "linear").rows] == ["mean"] * 3 + ["linear"] * 3


def test_several_runs_show_their_spread(tmp_path: Path) -> None:
    results = small(tmp_path, "pixel[steps=3]", runs=3)
    values = [
        sum(i["scores"]["rmse"][0] * i["scores"]["rmse"][1] for f in (0, 1) for i in images(results, f, run))
        / sum(i["scores"]["rmse"][1] for f in (0, 1) for i in images(results, f, run))
        for run in range(3)
    ]
    row = results.rows[0]
    assert row.numbers["rmse"].mean == pytest.approx(np.mean(values))
    assert row.numbers["rmse"].spread == pytest.approx(np.std(values, ddof=1))
    assert row.numbers["rmse"].spread > 0
    assert "±" in results.table("md")


def images(results: Results, fold: int, run: int) -> list[dict[str, Any]]:
    (record,) = [record for (_, f, r), record in results.records.items() if (f, r) == (fold, run)]
    return record["images"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("nan", "holds NaN or infinity"),
        ("shape", "has shape (1, 1, 31), the reference (32, 32, 31)"),
        ("double", "is float64, it must be float32"),
        ("raises", "RuntimeError: it broke"),
    ],
)
@pytest.mark.usefixtures("trouble")
def test_a_failed_cell_is_a_row_that_says_why_and_the_rest_goes_on(tmp_path: Path, kind: str, reason: str) -> None:
    results = small(tmp_path, f"trouble[kind={kind}],mean")
    assert len(results.failed) == 2
    assert all(reason in words for words in results.failed)
    assert results.value("mean") > 0
    for form in ("table", "md", "csv", "tex", "json"):
        assert "failed" in results.table(form)


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """The folder has a protocol that names `trouble`, whose plugin is broken until this is called."""
    plugin = SimpleNamespace(specrec_reconstructors=hookimpl(lambda: [Trouble]))
    before = list(registry().broken)
    monkeypatch.setattr(Trouble, "requires", ("not_installed",))
    registry().add(plugin, "trouble-distribution")
    (tmp_path / "mine.toml").write_text("dataset = 'synthetic'\nmethods = ['mean', 'trouble[kind=zero]', 'linear']\n")

    def mend() -> None:
        registry().broken[:] = before
        monkeypatch.setattr(Trouble, "requires", ())
        registry().add(plugin, "trouble-distribution")

    yield mend
    registry().broken[:] = before
    registry().reconstructors.pop("trouble", None)


def test_a_broken_method_of_the_protocols_list_is_a_row_that_says_why_until_it_works(
    tmp_path: Path, mended: Callable[[], None]
) -> None:
    reason = "it needs the module 'not_installed'"
    options = {"methods": None, "protocol": tmp_path / "mine.toml"}
    results = small(tmp_path, **options)
    (words,) = results.failed
    assert words.startswith("trouble[kind=zero]: ")
    assert reason in words
    assert results.value("mean") > results.value("linear") > 0
    (row,) = [row for row in results.rows if row.method == "trouble[kind=zero]"]
    assert row.note.startswith("failed: ")
    for form in ("table", "md", "csv", "tex", "json"):
        assert "needs the module" in results.table(form)
    assert read_results(results.folder).table("csv") == results.table("csv")
    named = small(tmp_path, "mean,trouble[kind=zero]", protocol=tmp_path / "mine.toml")  # the same for one in --methods
    assert [reason in words for words in named.failed] == [True]
    with pytest.raises(PluginError, match=reason):  # and nothing is left to do
        small(tmp_path, "trouble[kind=zero]", protocol=tmp_path / "mine.toml")
    mended()
    later = small(tmp_path, **options)
    assert later.failed == ()
    assert "needs the module" not in later.table("csv")
    assert later.value("trouble[kind=zero]") > 0


@pytest.mark.usefixtures("mended")
def test_on_the_command_line_a_broken_method_of_the_protocols_list_is_a_partial_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--protocol", str(tmp_path / "mine.toml"), "-d", DATA, "--limit", "1", "-j", "0"]
    arguments += ["-o", str(tmp_path / "results")]
    command.main([*arguments, "--dry-run", "--warm-up", "0"], standalone_mode=False)
    assert "trouble[kind=zero]: cannot be computed: method 'trouble' of trouble-distribution" in capsys.readouterr().out
    with pytest.raises(PartialFailureError, match=r"1 cell or method failed: trouble\[kind=zero\]: method 'trouble'"):
        command.main(arguments, standalone_mode=False)
    told = capsys.readouterr()
    assert "trouble[kind=zero]" in told.out
    assert "trouble[kind=zero] is left out" in told.err


@pytest.mark.usefixtures("trouble")
def test_what_failed_before_is_no_failure_of_a_start_that_did_not_ask_for_it(tmp_path: Path) -> None:
    assert small(tmp_path, "trouble").failed
    later = small(tmp_path, "mean")
    assert later.failed == ()
    assert "failed: " in later.table("md")


def test_a_failure_never_replaces_a_good_result(tmp_path: Path) -> None:
    expected = small(tmp_path, "mean").value("mean")
    (tmp_path / "results" / "cubes").write_text("in the way")
    results = small(tmp_path, "mean", save_cubes=True)
    assert "cannot write into" in results.failed[0]
    assert results.value("mean") == expected


def test_a_bench_runs_where_the_networks_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gan", "pixel"):
        monkeypatch.delitem(registry().reconstructors, name)
    assert small(tmp_path, "mean").value("mean") > 0


@pytest.mark.usefixtures("trouble")
def test_a_module_may_have_another_name_than_its_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trouble, "requires", ("PIL", "json", "spams"))
    record = next(iter(small(tmp_path, "trouble").records.values()))
    assert record["status"] == "failed"
    assert {"pillow", "spams-bin"} <= {name.lower() for name in record["versions"]}


def test_methods_without_a_network_need_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; import specrec; "  # None: importing it raises ImportError
        f"specrec.bench('mean,linear', {DATA!r}, limit=2, output='r', jobs=0, ceiling=0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert len(list(tmp_path.glob("r/cells/*/*.json"))) == 4


def test_a_preset_that_nobody_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("dataset = 'synthetic'\npreset = 'quik'\n")
    with pytest.raises(UsageError, match="no method has a preset 'quik'; did you mean 'quick'"):
        bench("mean", protocol=str(tmp_path / "mine.toml"), output=tmp_path / "r", jobs=0, device="cpu")


def test_a_metric_that_raises_costs_its_own_column_only_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    def raises(*_: object) -> None:
        raise RuntimeError("no luck")

    offer = registry().metrics["sam"]
    monkeypatch.setitem(registry().metrics, "sam", replace(offer, value=replace(offer.value, function=raises)))
    results = small(tmp_path, "mean", metrics="rmse,sam")
    assert results.failed == ()
    assert set(results.rows[0].numbers) == {"rmse"}
    record = next(iter(results.records.values()))
    assert record["broken_metrics"] == {"sam": "RuntimeError: no luck"}
    BenchProgress(Line()).finished(record)
    assert "without sam (RuntimeError: no luck)" in capsys.readouterr().err


def test_workers_do_not_import_from_where_the_user_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "random.py").write_text("raise RuntimeError('mine')")
    monkeypatch.chdir(tmp_path)
    assert small(tmp_path, "mean", jobs=1).failed == ()


def test_scenes_with_other_bands_stop_the_bench_before_any_training(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for index in range(4):
        cube = np.random.default_rng(index).random((16, 16, 28), dtype=np.float32)
        specrec.write_cube(data / f"s{index}.h5", cube, 450 + 7.0 * np.arange(28), {"quantity": "radiance"})
    with pytest.raises(DataError, match="28 bands, 450-639 nm; training and testing need the 31 bands"):
        small(tmp_path, "mean", dataset="folder", data=data)
    assert not (tmp_path / "results").exists()


def test_a_region_that_a_scene_cannot_fill_stops_the_bench_before_any_training(tmp_path: Path) -> None:
    text = "dataset = 'synthetic'\noptions = {scenes = 4, size = 32}\nregion = 'tiles:256'\n"
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UsageError, match="leaves no pixel of an image of 32 x 32"):
        bench("mean", protocol=str(tmp_path / "mine.toml"), output=tmp_path / "results", jobs=0, device="cpu")
    assert not (tmp_path / "results").exists()


@pytest.mark.usefixtures("trouble")
def test_a_failed_cell_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert small(tmp_path, "trouble").failed
    good = lambda _self, rgb: np.full((*rgb.shape[:2], 31), 0.5, np.float32)  # noqa: E731 - a method for one test
    monkeypatch.setattr(Trouble, "reconstruct", good)
    assert not small(tmp_path, "trouble").failed


def test_a_cell_whose_process_dies_is_a_row_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = tmp_path / "site" / "sitecustomize.py"
    worker.parent.mkdir()
    worker.write_text(
        "import os, sys\n"
        "if any('specrec.cells.worker' in word for word in sys.orig_argv):\n"
        "    os.write(2, b'out of luck\\n')\n"
        "    os._exit(9)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(worker.parent))
    results = small(tmp_path, "mean", jobs=1)
    assert [words.split(": ", 1)[1] for words in results.failed] == [
        "its process died with exit code 9: out of luck"
    ] * 2


def test_every_form_of_the_table_holds_the_numbers(tmp_path: Path) -> None:
    results = small(tmp_path, "mean")
    rows = list(csv.DictReader(results.table("csv").splitlines()))
    assert float(rows[0]["rmse"]) == results.value("mean")
    assert json.loads(results.table("json"))["rows"][0]["numbers"]["rmse"]["mean"] == results.value("mean")
    shown = f"{results.value('mean'):.3f}"
    assert shown in results.table("md")
    assert shown in results.table("table")
    assert shown in results.table("tex")
    assert "no stand-in for real data" in results.table("md")


def test_the_tex_table_compiles_where_there_is_tex(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex here")
    table = small(tmp_path, "mean,pixel[steps=2,hidden=8-8]").table("tex")
    (tmp_path / "t.tex").write_text("\\documentclass{article}\\begin{document}" + table + "\\end{document}")
    subprocess.run(["pdflatex", "-halt-on-error", "t.tex"], cwd=tmp_path, check=True, capture_output=True)


def test_results_can_be_read_again_and_a_damaged_cell_is_named(tmp_path: Path) -> None:
    results = small(tmp_path, "mean")
    assert read_results(results.folder).rows == results.rows
    victim = next(results.folder.glob("cells/*/*.json"))
    victim.write_text(victim.read_text()[:100])
    with pytest.raises(SpecrecError, match=victim.name):
        read_results(results.folder)


def test_reported_rows_stand_beside_the_computed_ones(tmp_path: Path) -> None:
    text = "dataset = 'synthetic'\noptions = {scenes = 4, size = 32}\nreported = 'alvarez-gila-2017'\n"
    (tmp_path / "mine.toml").write_text(text)
    results = bench("mean", protocol=str(tmp_path / "mine.toml"), output=tmp_path / "r", jobs=0, device="cpu")
    assert results.value("Alvarez-Gila et al. 2017", "rmse") == 1.457
    assert "(reported)" in results.table("md")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"methods": "maen"}, "unknown method 'maen'; did you mean 'mean'?"),
        ({"methods": "pixel[stepps=3]"}, "pixel has no parameter 'stepps'; did you mean 'steps'?"),
        ({"methods": "pixel[steps=many]"}, "pixel[steps] takes a whole number, not 'many'"),
        ({"methods": ""}, "no methods given"),
        ({"metrics": "rsme"}, "unknown metric 'rsme'; did you mean 'rmse'?"),
        ({"dataset": "cav"}, "unknown data set 'cav'; did you mean 'cave'?"),
        ({"dataset": "icvl"}, "the data set 'icvl' is read from a folder; name it (--data FOLDER) or set SPECREC_ICVL"),
        ({"data": "somewhere"}, "makes its scenes; leave out the folder somewhere"),
        ({"protocol": "embeded"}, "unknown protocol 'embeded'; did you mean 'embedded'?"),
        ({"jobs": -1}, "--jobs must be at least 0"),
        ({"limit": 0}, "--limit must be at least 1"),
        ({"tiles": "many"}, "tiles are auto, whole, SIZE or separate:SIZE with a size in pixels, not 'many'"),
        ({"device": "tpu"}, "there is no device 'tpu' here"),
        ({"folds": 9}, "too few for 9 folds"),
        ({"folds": 3, "folds_from": "lists"}, "--folds-from says how many folds there are"),
        ({"folds_from": "nowhere"}, "nowhere holds no fold lists"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], words: str
) -> None:
    monkeypatch.delenv("SPECREC_ICVL", raising=False)
    options = {"methods": "mean", **change}
    with pytest.raises(UsageError) as error:
        small(tmp_path, **options)
    assert words in str(error.value)
    assert not (tmp_path / "results").exists()


def write_folder(folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    for index in range(count):
        cube = rng.random((16, 16, 31), dtype=np.float32)
        attributes = {"quantity": "radiance"}
        specrec.write_cube(folder / f"s{index}.h5", cube, specrec.WAVELENGTHS, attributes)


def test_a_damaged_scene_stops_before_any_training_unless_it_may_be_skipped(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_folder(data, 5)
    whole = (data / "s2.h5").read_bytes()
    (data / "s2.h5").write_bytes(whole[: len(whole) // 2])
    options: dict[str, Any] = {"dataset": "folder", "data": data, "limit": None, "seed": 1}
    with pytest.raises(DataError, match=r"scene s2 is damaged.*--skip-damaged"):
        small(tmp_path, "mean", **options)
    assert not (tmp_path / "results").exists()
    results = small(tmp_path, "mean", skip_damaged=True, **options)
    assert "s2" in results.manifest.unused


def test_an_output_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SpecrecError, match=r"cannot write into .*file"):
        small(tmp_path, "mean", output=tmp_path / "file" / "results")


def test_the_package_is_also_the_function(tmp_path: Path) -> None:
    import specrec.bench.folds

    assert specrec.bench.folds.Split
    options: dict[str, Any] = {"limit": 2, "output": tmp_path / "r", "jobs": 0, "device": "cpu", "ceiling": 0}
    results = specrec.bench(methods=["mean"], dataset=DATA, **options)
    assert isinstance(results, Results)


def test_a_bench_leaves_what_another_one_is_writing_and_clears_what_a_dead_one_left(tmp_path: Path) -> None:
    looks = tmp_path / "results" / "looks"
    looks.mkdir(parents=True)
    old, young = looks / ".scene-old.h5", looks / ".scene-young.h5"
    old.touch()
    os.utime(old, (1e9, 1e9))
    young.touch()
    later = time.time() + 3600  # the other bench writes on while this one runs
    os.utime(young, (later, later))
    small(tmp_path, "mean")
    assert young.exists()
    assert not old.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_ctrl_c_leaves_130_and_the_finished_cells_and_a_second_start_goes_on(tmp_path: Path) -> None:
    methods = "mean,pixel[steps=100000,batch=64]"
    # a shell that starts its tests in the background has them ignore Ctrl-C, which children inherit
    start = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from specrec.cli import main; main()"
    )
    words = ["bench", "-m", methods, "-d", DATA, "--limit", "2", "-j", "1", "-o", "r", "--ceiling", "0"]
    process = subprocess.Popen([sys.executable, "-c", start, *words], cwd=tmp_path, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("r/cells/mean-*/*.json")) and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(1)
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, said
    assert b"Traceback" not in said
    kept = list(tmp_path.glob("r/cells/mean-*/*.json"))
    assert kept
    assert not list(tmp_path.glob("r/cells/pixel-*/*.json"))
    assert not list(tmp_path.rglob(".fold*"))


def test_cells_that_another_version_has_computed_are_told_and_kept(tmp_path: Path) -> None:
    class Told(Watcher):
        def __init__(self) -> None:
            self.words: list[str] = []

        def note(self, words: str) -> None:
            self.words.append(words)

    again = Told()
    small(tmp_path)
    small(tmp_path, watcher=again)
    assert again.words == []
    path = min(tmp_path.glob("results/cells/*/*.json"))
    record = json.loads(path.read_text())
    record["versions"]["plugin"] = "specrec 0.0.1"
    path.write_text(json.dumps(record))
    small(tmp_path, watcher=again)
    (words,) = again.words
    assert words == (
        f"1 of the cells of {record['written']} that are there were computed with specrec 0.0.1, and specrec"
        f" {version('specrec')} is installed; --overwrite computes them again"
    )
    assert json.loads(path.read_text()) == record
