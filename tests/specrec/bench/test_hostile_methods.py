"""Whatever a method, a metric or a data set of a stranger does during a bench: one sentence, and the others' cells."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from strangers import Site

from specrec.bench.results import Results, read_results
from specrec.bench.run import bench
from specrec.errors import DataError
from specrec.registry import registry

HOSTILE = """
import os, signal, sys
import numpy as np
from specrec import Metric, Parameter, Reconstructor, Scene, SceneSource, Score, hookimpl, WAVELENGTHS

class Mute(Exception):
    def __str__(self):
        raise self

class Hostile(Reconstructor):
    name = "hostile"
    summary = "does what it is told to do wrong"
    parameters = {"does": Parameter("nothing", "what")}

    @property
    def does(self):
        return self.settings["does"]

    @property
    def receptive_field(self):
        return {"negative": -1, "word": "1"}.get(self.does, 1)

    @property
    def bytes_per_pixel(self):
        if self.does == "raises-memory":
            raise RuntimeError("no idea")
        return 0 if self.does == "no-bytes" else 4096

    @property
    def parameter_count(self):
        if self.does == "raises-count":
            raise RuntimeError("no count")
        return "many" if self.does == "many" else 3

    def fit(self, scenes, context):
        if self.does == "raises": raise RuntimeError("it broke\\nin two lines")
        if self.does == "leaves": sys.exit(5)
        if self.does == "own-kind": raise type("Odd", (BaseException,), {})("odd")
        if self.does == "mute": raise Mute
        if self.does == "terminal": raise RuntimeError("\\x1b[31mred\\x07" + "long " * 5000)
        if self.does == "exits": os.write(2, b"bye\\n"); os._exit(7)
        if self.does == "killed": os.kill(os.getpid(), signal.SIGKILL)
        if self.does == "prints": print("hello"); os.write(1, b"hello\\n")
        if self.does == "lingers":
            import threading, time
            threading.Thread(target=time.sleep, args=(300,)).start()
        if self.does == "progress":
            for told in ((float("nan"), None), ("much", 3), (7, "\\x1b[31m"), (-1, object())):
                context.progress(*told)
            context.progress(0.5)
        self.history_ = {"odd-curve": [{"loss": object()}], "text-curve": "falling",
                         "array-curve": [{"loss": np.float32(2)}, {"loss": float("nan")}]}.get(self.does, [])
        return None if self.does == "no-self" else self

    def reconstruct(self, rgb):
        shape = (*rgb.shape[:2], 31)
        if self.does == "exits-late": os._exit(0)
        if self.does == "leaves-late": raise SystemExit
        if self.does == "writes": rgb[:] = 0
        if self.does == "generator": return (row for row in rgb)
        if self.does == "view":
            self.kept = getattr(self, "kept", np.zeros(shape, np.float32))
            self.kept += 1
            return self.kept[:]
        cube = np.full(shape, 0.5, np.float32)
        return {
            "shape": cube[:1, :1], "flat": cube.reshape(-1, 31), "bands": cube[..., :30], "double": cube.astype(float),
            "complex": cube.astype(np.complex64), "object": cube.astype(object), "list": cube.tolist(), "none": None,
            "masked": np.ma.masked_array(cube, cube > 0),
            "nan": cube * np.nan, "infinite": cube / 0 if False else np.full(shape, np.inf, np.float32),
        }.get(self.does, cube)

    def state(self):
        return {"a": np.zeros(3, np.float32)}, {}

    @classmethod
    def from_state(cls, settings, arrays, config):
        return cls(**settings)

class Constructed(Hostile):
    name = "constructed"

    def __init__(self, **given):
        raise ZeroDivisionError("in the constructor")

def metric(name, function):
    return Metric(name, "1", "0..1", False, "one", "", function)

def raises(*_): raise RuntimeError("no luck")
def leaves(*_): raise SystemExit
def changes(estimate, reference, mask, wavelengths):
    reference[:] = 0
    return Score(0.0, 1.0)

class Scenes(SceneSource):
    name = "odd-scenes"
    summary = "odd"
    quantity = "radiance"
    parameters = {"does": Parameter("nothing", "what")}

    @property
    def does(self):
        return self.settings["does"]

    def __init__(self, path=None, **given):
        super().__init__(path, **given)
        if self.does == "constructor": raise ValueError("not today")

    def names(self):
        if self.does == "names": raise ValueError("no list")
        if self.does == "leaves": raise SystemExit
        return {
            "twice": ["a", "a", "b"], "path": ["../a", "b"], "number": [1, 2], "lines": ["a\\nb", "c"],
            "long": ["a" * 201, "b"], "empty": [],
        }.get(self.does, list("abcd"))

    def prepare(self, names, progress=None):
        if self.does == "prepare": raise ValueError("not ready")

    def open(self, name):
        if self.does == "open": raise KeyError("lost")
        def read(window):
            if self.does == "read": raise KeyError("lost")
            cube = np.random.default_rng(ord(name)).random((8, 8, 31), dtype=np.float32)
            cube = cube[:4] if self.does == "size" else cube
            return cube if window is None else cube[window.slices]
        if self.does == "none": return None
        other = "z" if self.does == "other" else name
        return Scene(other, (8, 8, 31), WAVELENGTHS, "radiance", f"{self.does} {name}", read)

@hookimpl
def specrec_reconstructors():
    return [Hostile, Constructed]

@hookimpl
def specrec_metrics():
    return [
        metric("m-raises", raises), metric("m-leaves", leaves), metric("m-changes", changes),
        metric("m-nan", lambda *_: Score(float("nan"), 1.0)), metric("m-number", lambda *_: 3.0),
        metric("m-weight", lambda *_: Score(1.0, -1.0)), metric("m-word", lambda *_: Score("low", 1.0)),
        metric("m-array", lambda *_: Score(np.float32(2.0), np.int64(3))),
    ]

@hookimpl
def specrec_scene_sources():
    return [Scenes]
"""
DATA = "synthetic[scenes=4,size=32]"


@pytest.fixture
def hostile(site: Site) -> Iterator[Site]:
    """The plugin above, installed, and in the registry of this process."""
    found = registry()  # before it is there
    site.install("hostile", HOSTILE)
    found.add(import_module("hostile_hostile"), "specrec-hostile", "1.5", "hostile")
    assert found.broken == []
    yield site
    for offers in (registry().reconstructors, registry().metrics, registry().scene_sources):
        for name in [name for name, offer in offers.items() if offer.distribution == "specrec-hostile"]:
            del offers[name]


def tried(tmp_path: Path, methods: str, **options: Any) -> Results:
    fixed = {"dataset": DATA, "limit": 1, "output": tmp_path / "results", "jobs": 0, "device": "cpu", "ceiling": 0}
    return bench(methods, **{**fixed, **options})


FAILS = {
    "raises": "RuntimeError: it broke",
    "leaves": "SystemExit: 5",
    "leaves-late": "hostile failed: SystemExit",
    "own-kind": "Odd: odd",
    "mute": "Mute, whose message cannot be read",
    "terminal": "RuntimeError: red long long",
    "shape": "has shape (1, 1, 31), the reference (32, 32, 31)",
    "flat": "hostile answered with an array of shape (1024, 31), not a NumPy array (height, width, bands)",
    "bands": "has shape (32, 32, 30), the reference (32, 32, 31)",
    "double": "is float64, it must be float32",
    "complex": "is complex64, it must be float32",
    "object": "is object, it must be float32",
    "list": "hostile answered with list, not a NumPy array",
    "none": "hostile answered with NoneType, not a NumPy array",
    "generator": "hostile answered with generator, not a NumPy array",
    "masked": "is a MaskedArray, it must be a plain NumPy array",
    "nan": "holds NaN or infinity",
    "infinite": "holds NaN or infinity",
    "writes": "ValueError: assignment destination is read-only",
    "negative": "receptive_field is a whole number from 1 or None, not -1",
    "word": "receptive_field is a whole number from 1 or None, not '1'",
    "raises-memory": "RuntimeError: no idea",
    "no-bytes": "bytes_per_pixel is a whole number from 1, not 0",
}


@pytest.mark.usefixtures("hostile")
def test_whatever_a_method_does_is_a_row_with_the_reason_and_the_others_are_whole(tmp_path: Path) -> None:
    methods = ["mean", *(f"hostile[does={does}]" for does in FAILS)]
    results = tried(tmp_path, ",".join(methods))
    assert len(results.failed) == 2 * len(FAILS)
    for does, reason in FAILS.items():
        notes = {row.note for row in results.rows if row.method == f"hostile[does={does}]"}
        assert notes
        for note in notes:
            assert note.startswith("failed: ")
            assert reason in note, does
            assert note.isprintable()
            assert len(note) < 900  # of two folds
    assert results.value("mean") > 0
    again = read_results(results.folder)
    assert again.table("csv") == results.table("csv")
    json.loads(again.table("json"))


@pytest.mark.usefixtures("hostile")
def test_what_a_method_says_of_itself_costs_it_no_score(tmp_path: Path) -> None:
    wrong = {
        "many": "parameter_count: parameter_count is a whole number from 0, not 'many'",
        "raises-count": "parameter_count: RuntimeError: no count",
        "odd-curve": "history_: history_ is a list of dictionaries of numbers, and loss is no number",
        "text-curve": "history_: history_ is a list of dictionaries of numbers, not str",
    }
    fine = ("array-curve", "progress", "no-self", "view", "nothing")
    results = tried(tmp_path, ",".join(f"hostile[does={does}]" for does in (*wrong, *fine)))
    assert results.failed == ()
    for does in (*wrong, *fine):
        assert results.value(f"hostile[does={does}]") > 0
    assert len(results.troubles) == len(wrong)
    for words in wrong.values():
        assert any(trouble.startswith(words) for trouble in results.troubles), words
    assert "Not known: parameter_count: RuntimeError: no count (hostile[does=raises-count] fold" in results.table("md")
    curves = [record["curve"] for record in results.records.values() if "array" in record["written"]]
    assert curves == [[{"loss": 2.0}, {"loss": "nan"}]] * 2


@pytest.mark.usefixtures("hostile")
def test_a_method_that_cannot_be_set_up_is_a_row(tmp_path: Path) -> None:
    results = tried(tmp_path, "constructed,mean")
    assert results.failed == (
        "constructed: method 'constructed' cannot be set up: ZeroDivisionError: in the constructor",
    )
    assert results.value("mean") > 0


@pytest.mark.usefixtures("hostile")
def test_a_metric_that_fails_is_a_dash_and_a_footnote_and_changes_no_other_number(tmp_path: Path) -> None:
    names = [name for name in registry().metrics if name.startswith("m-")]
    results = tried(tmp_path, "mean", metrics=["rmse", *names, "sam"])
    assert results.failed == ()
    assert set(results.rows[0].numbers) == {"rmse", "sam", "m-array"}
    said = "\n".join(results.troubles)
    for words in (
        "m-raises: RuntimeError: no luck (mean fold 0 run 0 and 1 more)",
        "m-leaves: RuntimeError: SystemExit",
        "m-changes: ValueError: assignment destination is read-only",
        "m-nan: it gives NaN with the weight 1",
        "m-number: it gives 3.0, not a specrec.Score",
        "m-weight: its weight is -1",
        "m-word: its score holds what is no number",
    ):
        assert words in said
    assert "m-raises: RuntimeError: no luck" in results.table("table")
    assert results.value("mean", "m-array") == 2.0
    alone = tried(tmp_path / "alone", "mean", metrics=["rmse"])
    assert alone.troubles == ()
    assert alone.value("mean", "rmse") == results.value("mean", "rmse")


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("constructor", "the data set 'odd-scenes' cannot be opened: ValueError: not today"),
        ("names", "the data set 'odd-scenes' cannot list its scenes: ValueError: no list"),
        ("leaves", "the data set 'odd-scenes' cannot list its scenes: SystemExit"),
        ("twice", "the data set 'odd-scenes' lists the scene 'a' twice"),
        ("path", "the data set 'odd-scenes' has a scene called '../a'; a name is no path"),
        ("number", "the data set 'odd-scenes' has a scene called 1"),
        ("lines", "the data set 'odd-scenes' has a scene called 'a\\nb'; a name is one line of at most 200 letters"),
        ("long", "aaa…; a name is one line of at most 200 letters"),
        ("empty", "the data set 'odd-scenes' has no scenes"),
        ("prepare", "the data set 'odd-scenes' cannot make its scenes: ValueError: not ready"),
        ("open", "is damaged (and 1 more): reading it fails: KeyError: 'lost'"),
        ("read", "is damaged (and 1 more): reading it fails: KeyError: 'lost'"),
        ("none", "is damaged (and 1 more): reading it fails: AttributeError"),
        ("size", "promised (8, 8, 31), read (4, 8, 31)"),
        ("other", "and gave a scene called 'z'"),
    ],
)
@pytest.mark.usefixtures("hostile")
def test_whatever_a_data_set_does_is_one_sentence_before_any_work(tmp_path: Path, does: str, reason: str) -> None:
    with pytest.raises(DataError) as error:
        tried(tmp_path, "mean", dataset=f"odd-scenes[does={does}]")
    assert reason in str(error.value)
    assert not (tmp_path / "results").exists()


def test_a_stranger_s_data_set_that_works_is_a_bench(tmp_path: Path, hostile: Site) -> None:
    assert np.isfinite(tried(tmp_path, "mean", dataset="odd-scenes").value("mean"))


def test_on_the_command_line_a_method_that_dies_with_its_process_is_a_row(hostile: Site) -> None:
    deaths = {
        "exits": "its process died with exit code 7: bye",
        "killed": "its process died with signal SIGKILL",
        "exits-late": "its process died with exit code 0",
    }
    methods = ",".join(["mean", "lost", *(f"hostile[does={does}]" for does in (*deaths, "prints", "lingers"))])
    hostile.install("lost", "raise RuntimeError('no luck')")
    protocol = hostile.folder / "one.toml"
    protocol.write_text("dataset = 'synthetic'\noptions = {scenes = 4, size = 32}\ntested = [0]\n")
    words = ("-m", methods, "--protocol", protocol, "--limit", 1, "--ceiling", 0, "-j", 2, "--format", "json", "-q")
    done = hostile.run("bench", *words)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    rows = json.loads(done.stdout)["rows"]
    notes = {row["method"]: row["note"] for row in rows}
    for does, reason in deaths.items():
        assert notes[f"hostile[does={does}]"] == f"failed: {reason}"
    assert notes["mean"] == notes["hostile[does=prints]"] == notes["hostile[does=lingers]"] == ""
    assert "failed: method 'lost' of specrec-lost cannot be used: it cannot be imported" in notes["lost"]
    assert "4 cells or methods failed" in done.stderr


@pytest.mark.usefixtures("hostile")
def test_on_the_command_line_what_a_method_prints_stays_out_of_the_table(hostile: Site) -> None:
    words = ("-d", DATA, "--limit", 1, "--ceiling", 0, "-j", 0, "--format", "json", "-q")
    done = hostile.run("bench", "-m", "hostile[does=prints]", *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"]
    assert done.stderr.count("hello") == 4
