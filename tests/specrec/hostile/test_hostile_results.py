"""Results folders of anyone: no link leads out of them, and what cells keep beside their records is read or refused."""

import json
import os
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specrec.bench import run
from specrec.bench.links import check_links
from specrec.bench.reproduce import reproduce
from specrec.bench.results import read_results
from specrec.bench.run import bench
from specrec.cells.ceiling import COLUMNS, Ceiling, read_ceiling, write_ceiling
from specrec.cells.influence import read_influence
from specrec.cells.looks import _write, read_estimate, read_look
from specrec.cells.samples import read_sample
from specrec.cells.small_hdf5 import small_hdf5, texts
from specrec.cli.bench import command as bench_command
from specrec.cli.report import command as report_command
from specrec.cubes import texts_apart
from specrec.errors import DataError, SpecrecError
from specrec.interfaces import Score
from specrec.report.page import write_page
from specrec.spectra import WAVELENGTHS
from specrec.stored_arrays import stored_array

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")

LINKS = [
    "cells", "cells/mean-44136fa3", "cells/mean-44136fa3/fold0-run0.json", "ceiling", "ceiling/a.h5", "checkpoints",
    "checkpoints/mean-44136fa3", "cubes", "cubes/reference", "looks", "looks/fold0-scene0.h5", "report",
    "manifest.json", "overwriting.json", "bench.lock", "bench.lock.json",
]  # fmt: skip
BENCH = {"methods": "mean", "dataset": "synthetic[scenes=4,size=32]", "limit": 2, "jobs": 0}


@pytest.fixture
def elsewhere(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "kept.txt").write_text("kept")
    return folder


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("overwrite", ["failed", "all"])
@pytest.mark.parametrize("name", LINKS)
def test_a_bench_does_not_go_through_a_link_out_of_its_folder(tmp_path, elsewhere, name, overwrite, monkeypatch):
    monkeypatch.setattr(run, "check_data", lambda *_, **__: pytest.fail("it computes something"))
    target = elsewhere / "kept.txt" if "." in name else elsewhere
    link = tmp_path / "results" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    with pytest.raises(SpecrecError) as caught:
        bench(**BENCH, output=tmp_path / "results", overwrite=overwrite)
    assert f"{link} is a link to {target}, out of the results folder" in str(caught.value)
    assert "choose another --output (the results folder itself may be a link" in str(caught.value)
    assert contents(elsewhere) == {"kept.txt": "kept"}
    with pytest.raises(SpecrecError, match="out of the results folder"):
        bench_command.main(
            ["--methods", "mean", "--dry-run", "--output", str(tmp_path / "results")], standalone_mode=False
        )


@pytest.mark.parametrize("name", ["cells/m0/fold1-run0.json", "cells/m0", "manifest.json", "report", "looks"])
def test_a_result_that_is_a_link_to_elsewhere_is_not_read(made_results, tmp_path, name):
    folder = made_results({"mean": {"rmse": [3.0, 4.0]}}).folder
    (folder / name).parent.mkdir(exist_ok=True, parents=True)
    moved = tmp_path / "moved"
    if (folder / name).exists():
        (folder / name).rename(moved)
    else:
        moved.mkdir()
    (folder / name).symlink_to(moved)
    for read in (
        lambda: read_results(folder),
        lambda: reproduce(folder / "cells" / "m0" / "fold1-run0.json", jobs=0),
        lambda: report_command.main([str(folder)], standalone_mode=False),
    ):
        with pytest.raises(SpecrecError, match=r"is a link to .* out of the results folder"):
            read()


def test_the_results_folder_itself_may_be_a_link_and_links_inside_it_may_stay_inside(made_results, tmp_path):
    folder = made_results({"mean": {"rmse": [3.0, 4.0]}}).folder
    (folder / "cubes").symlink_to("cells")
    (folder / "looks").mkdir()
    (folder / "looks" / "round").symlink_to("..")
    (folder / "own notes").symlink_to(tmp_path)  # nothing of specrec's
    (tmp_path / "link").symlink_to(folder)
    assert read_results(tmp_path / "link").value("mean") == read_results(folder).value("mean")
    check_links(tmp_path / "nothing there")


def test_a_loop_of_links_is_refused_or_harmless(made_results):
    folder = made_results({"mean": {"rmse": [3.0, 4.0]}}).folder
    record = folder / "cells" / "m0" / "fold1-run0.json"
    record.unlink()
    record.symlink_to(record.name)
    with pytest.raises(SpecrecError):
        read_results(folder)


def test_a_record_outside_of_any_results_folder_is_not_reproduced(tmp_path):
    (tmp_path / "fold0-run0.json").write_text("{}")
    for path in (tmp_path / "fold0-run0.json", Path("/fold0-run0.json")):
        with pytest.raises(SpecrecError, match=r"lies in no results folder|is not there"):
            reproduce(path, jobs=0)


SIDE = 4
LEVELS = np.arange(SIDE * SIDE * 31, dtype=np.float32).reshape(SIDE, SIDE, 31)
FACTS = {"step": 1, "shape": (SIDE, SIDE), "wavelengths": WAVELENGTHS}


def write_look(folder):
    mask = np.ones((SIDE, SIDE), dtype=bool)
    facts = {**texts(scene="a", quantity="reflectance"), **FACTS}
    _write(folder / "looks" / "fold0-scene0.h5", LEVELS, facts, {"valid": mask, "scored": mask})
    return folder / "looks" / "fold0-scene0.h5", lambda: read_look(folder, 0, 0, "a")


def write_estimate(folder):
    path = folder / "fold0-run0.look0.h5"
    _write(path, LEVELS, texts(scene="a"))
    write_look(folder)
    like = read_look(folder, 0, 0, "a")

    def read():
        if read_estimate(folder / "fold0-run0.json", 0, like) is None:
            raise DataError("the page says that there is none")

    return path, read


def write_sample(folder):
    path = folder / "fold0-run0.sample.h5"
    rgb, spectra = np.zeros((SIDE, SIDE, 3), np.uint8), np.ones((2, 31), np.float32)
    with small_hdf5(path) as file:
        file.attrs.update(texts(scene="a"))
        for name, array in {
            "reference_rgb": rgb, "estimate_rgb": rgb, "pixels": np.array([[0, 1], [3, 3]]),
            "reference_spectra": spectra, "estimate_spectra": spectra, "wavelengths": WAVELENGTHS,
        }.items():  # fmt: skip
            file.create_dataset(name, data=array)
    return path, lambda: read_sample(path)


def write_influence(folder):
    path = folder / "fold0-run0.influence.h5"
    with small_hdf5(path) as file:
        file.attrs["effective_side"] = 3.0
        file.create_dataset("influence", data=np.zeros((513, 513), np.float32), compression="gzip")
    return path, lambda: read_influence(path)


def write_a_ceiling(folder):
    path, mask = folder / "a.h5", np.ones((SIDE, SIDE), dtype=bool)
    scores = dict.fromkeys(COLUMNS, Score(1.0, 2.0))
    write_ceiling(path, Ceiling(mask, mask, scores, scores, mask.size, 5))
    return path, lambda: read_ceiling(path)


KEPT = [write_look, write_estimate, write_sample, write_influence, write_a_ceiling]
ODD = st.one_of(
    st.integers(-3, 3), st.just(10**18), st.floats(), st.binary(max_size=20).map(np.bytes_),
    st.sampled_from([
        np.bytes_(b"{}"), np.bytes_(b"[" * 30_000), np.bytes_(b'{"rmse@matched": ["x", 1]}'), np.bytes_(b"\x1b[31m"),
        np.zeros(31), -WAVELENGTHS, np.zeros((0,)), np.zeros((2, 2, 2)), np.array([10**9, 10**9]), h5py.Empty("f"),
        np.zeros((SIDE, SIDE, 31), np.uint16), np.full((SIDE, SIDE, 31), np.nan), np.zeros((SIDE, SIDE), bool),
        np.full((2, 2), 10**9), np.full((2, 31), np.inf), np.zeros((SIDE, SIDE, 3)),
    ]),
)  # fmt: skip


@pytest.mark.parametrize("write", KEPT)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_a_cell_keeps_is_read_or_refused_whatever_it_holds(tmp_path, write, data):
    path, read = write(tmp_path)
    read()
    with h5py.File(path, "r+") as file:
        key = data.draw(st.sampled_from([*file.attrs, *file]))
        holder = file.attrs if key in file.attrs else file
        odd = data.draw(st.one_of(st.none(), ODD))
        del holder[key]
        if odd is not None:
            holder[key] = odd
    try:
        read()
    except SpecrecError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 1000


@pytest.mark.parametrize("write", KEPT)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_a_cell_keeps_is_read_or_refused_wherever_it_is_damaged(tmp_path, write, data):
    path, read = write(tmp_path)
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))])
    try:
        read()
    except SpecrecError as error:
        assert str(error).isprintable()


@pytest.mark.parametrize(
    ("write", "key"), [(write_look, "quantity"), (write_sample, "scene"), (write_a_ceiling, "rule")]
)
def test_texts_of_older_folders_are_read_in_a_process_of_their_own(tmp_path, write, key, monkeypatch):
    path, read = write(tmp_path)
    with h5py.File(path) as file:
        assert not any(file.attrs.get_id(name).dtype.hasobject for name in file.attrs)
    good = read()
    with h5py.File(path, "r+") as file:
        text = file.attrs[key].decode()
        del file.attrs[key]
        file.attrs[key] = text  # of variable length, as specrec 0.5 wrote them
    again = read()
    assert str(getattr(good, key, good)) == str(getattr(again, key, again))
    content = path.read_bytes()
    heap = content.index(b"GCOL")
    path.write_bytes(content[: heap + 16] + b"\xff" * 64 + content[heap + 80 :])
    monkeypatch.setattr(texts_apart, "TIME_LIMIT", 2.0)  # seconds: the library never comes back
    with pytest.raises(SpecrecError, match="its texts are damaged"):
        read()


@pytest.mark.parametrize("name", ["look", "ceiling", "sample"])
def test_a_pipe_in_the_place_of_what_a_cell_keeps_is_not_waited_for(tmp_path, name):
    path, read = {"look": write_look, "ceiling": write_a_ceiling, "sample": write_sample}[name](tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(SpecrecError, match="no plain file"):
        read()


def test_a_table_of_ceilings_that_hold_no_pixel_is_a_table(made_results):
    folder = made_results({"mean": {"rmse": [3.0, 4.0]}}, ceiling=4).folder
    nothing = np.zeros((SIDE, SIDE), dtype=bool)
    scores = dict.fromkeys(COLUMNS, Score(0.0, 0.0))
    for scene in json.loads((folder / "manifest.json").read_text())["folds"][0]["test"] + ["scene1"]:
        write_ceiling(folder / "ceiling" / f"{scene}.h5", Ceiling(nothing, nothing, scores, scores, 0, 5))
    assert "no colour is held by" in read_results(folder, ["rmse", "rmse@matched"]).table()


def places(value, path=()):
    """Give the way to every text of a JSON value."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*path, key))


@pytest.mark.parametrize("letter", [0xD800, 0xDC80, 0x202E])
@pytest.mark.parametrize("name", ["manifest.json", "cells/m0/fold1-run0.json"])
def test_half_a_letter_in_any_text_of_results_is_refused_or_shown(made_results, name, letter):
    text = f"x{chr(letter)}y"
    folder = made_results({"mean": {"rmse": [3.0, 4.0]}}).folder
    good = (folder / name).read_text()
    for way in places(json.loads(good)):
        changed = part = json.loads(good)
        for key in way[:-1]:
            part = part[key]
        part[way[-1]] = text
        (folder / name).write_text(json.dumps(changed))
        try:
            results = read_results(folder)
            tables = [results.table(form) for form in ("table", "md", "csv", "tex", "json")]
            write_page(folder / "page.html", results.manifest.settings["name"], {"texts": tables})
        except SpecrecError:
            continue
        assert letter == 0xDC80, f"{way} is read"


def test_a_name_of_an_older_encoding_is_written_as_an_escape(tmp_path):
    assert "<title>a\\udce9</title>" in write_page(tmp_path / "page.html", "a\udce9", {}).read_text("utf-8")


def test_half_a_letter_in_the_name_of_a_protocol_is_refused_by_report(made_results):
    folder = made_results({"mean": {"rmse": [3.0, 4.0]}}).folder
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["settings"]["name"] = "x\ud800y"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SpecrecError, match="is not a manifest"):
        report_command.main([str(folder)], standalone_mode=False)


def test_a_method_that_could_not_be_computed_and_cannot_be_read_is_a_mistake_of_the_manifest(made_results):
    folder = made_results({"mean": {"rmse": [3.0, 4.0]}}).folder
    manifest = json.loads((folder / "manifest.json").read_text()) | {"unusable": {"a[b": "broken"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SpecrecError, match=r"manifest\.json is not a manifest.*cannot read 'a\[b'") as caught:
        read_results(folder)
    assert caught.value.exit_code == 1


def test_a_pipe_in_the_place_of_a_stored_array_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "table.npy")
    keep = os.open(tmp_path / "table.npy", os.O_RDWR | os.O_NONBLOCK)  # so that opening it would not block the test
    os.write(keep, b"0" * 1000)
    try:
        assert stored_array(tmp_path / "table.npy", (2,), np.float32) is None
        assert len(os.read(keep, 2000)) == 1000, "the pipe was read"
    finally:
        os.close(keep)
