"""A metric of a stranger that ends its process, or changes what it is lent, costs itself and nothing else."""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from strangers import Site

from specrec.bench.results import Results
from specrec.bench.run import bench
from specrec.bench.watching import Watcher
from specrec.cubes import read_cube
from specrec.registry import registry

DEADLY = """
import os
from specrec import Metric, Score, hookimpl

def metric(name, function):
    return Metric(name, "1", "0..1", False, "one", "", function)

def exits(*_): os.write(2, b"bye\\n"); os._exit(7)
def interrupts(*_): raise KeyboardInterrupt

def unseals(*arrays):
    for array in arrays:
        while array is not None:
            try:
                array.setflags(write=True)
                array[:] = 0
            except (ValueError, AttributeError):
                pass
            array = getattr(array, "base", None)
    return Score(1.0, 1.0)

def sums(estimate, reference, mask, wavelengths):
    return Score(float(reference.sum()), 1.0)

@hookimpl
def specrec_metrics():
    return [
        metric("m-exits", exits), metric("m-interrupts", interrupts),
        metric("m-sums", sums), metric("m-unseals", unseals), metric("m-sums-again", sums),
    ]
"""


@pytest.fixture
def deadly(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plugin above: in the processes of the cells, and known here."""
    found = registry()  # before it is there
    site.install("deadly", DEADLY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site.folder), *filter(None, sys.path)]))
    found.add(import_module("hostile_deadly"), "specrec-deadly", "1.5", "deadly")
    yield
    for name in [name for name, offer in found.metrics.items() if offer.distribution == "specrec-deadly"]:
        del found.metrics[name]


class Notes(Watcher):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, words: str) -> None:
        self.said.append(words)


def small(output: Path, metrics: str, *, jobs: int = 0, watcher: Watcher | None = None) -> Results:
    (output.parent / "one.toml").write_text("dataset = 'synthetic'\noptions = {scenes = 4, size = 32}\ntested = [0]\n")
    return bench(
        "mean", protocol=str(output.parent / "one.toml"), metrics=metrics, limit=1, ceiling=0, device="cpu",
        output=output, jobs=jobs, save_cubes=True, watcher=watcher,
    )  # fmt: skip


@pytest.mark.usefixtures("untried", "deadly")
def test_a_metric_that_kills_the_process_is_named_and_costs_no_method_its_row(tmp_path: Path) -> None:
    notes = Notes()
    results = small(tmp_path / "results", "rmse,m-exits,m-sums", jobs=1, watcher=notes)
    assert results.failed == ()
    assert set(results.rows[0].numbers) == {"rmse", "m-sums"}
    (record,) = results.records.values()
    broken = record["broken_metrics"]
    assert list(broken) == ["m-exits", "m-interrupts"]
    assert broken["m-exits"] == "it kills the process (exit code 7: bye)"
    assert "KeyboardInterrupt" in broken["m-interrupts"]
    assert "sam" in record["images"][0]["scores"]
    words = "mean fold 0 run 0: the metric m-exits kills the process (exit code 7: bye); it is run again without it"
    assert words in notes.said
    assert results.troubles == ("m-exits: it kills the process (exit code 7: bye) (mean fold 0 run 0)",)


@pytest.mark.usefixtures("deadly")
def test_no_metric_can_change_what_the_others_see_or_what_is_saved(tmp_path: Path) -> None:
    metrics = registry().metrics
    del metrics["m-exits"], metrics["m-interrupts"]
    beside = small(tmp_path / "beside", "rmse,m-sums,m-unseals,m-sums-again")
    assert beside.troubles == ()
    assert beside.value("mean", "m-sums", "fold 0") == beside.value("mean", "m-sums-again", "fold 0") > 0
    del metrics["m-unseals"]
    alone = small(tmp_path / "alone", "rmse")
    assert alone.value("mean", "rmse", "fold 0") == beside.value("mean", "rmse", "fold 0")
    saved = [path.relative_to(alone.folder) for path in (alone.folder / "cubes").rglob("*.h5")]
    assert len(saved) == 2
    for path in saved:
        assert (read_cube(alone.folder / path).cube == read_cube(beside.folder / path).cube).all()
