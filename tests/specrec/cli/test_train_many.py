"""`specrec train A,B -o FOLDER/`: exit codes, a line per method, nothing lost or trained twice."""

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from safetensors.numpy import load_file

from specrec.cli import main
from specrec.errors import SpecrecError
from specrec.output_lock import locked_weights
from specrec.process_pool import ProcessPool
from specrec.reconstruction import train
from specrec.reconstruction.training import run_training
from specrec.weights import read_card

DATA = "synthetic[scenes=2,size=32]"
PIXEL = "pixel[steps=60,batch=16]"


class Outcome(NamedTuple):
    code: int
    lines: list[str]


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """Run `specrec train WORDS` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def go(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["specrec", "train", *map(str, words), "-d", DATA])
        capsys.readouterr()  # what the making of weights has said, where this test is the first
        with pytest.raises(SystemExit) as leaving:
            main()
        said = capsys.readouterr()
        assert said.out == ""
        assert "Traceback" not in said.err
        return Outcome(int(leaving.value.code or 0), said.err.splitlines())

    return go


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let what a process would do be done here, and list the methods; `mean` fails."""
    from concurrent.futures import Future

    trained: list[str] = []

    def submit(_self: ProcessPool, function: Callable[..., object], values: dict[str, object]) -> Future[object]:
        future: Future[object] = Future()
        trained.append(str(values["method"]))
        if values["method"] == "mean":
            future.set_exception(SpecrecError("its process died with signal SIGKILL"))
        else:
            future.set_result(function(values))
        return future

    monkeypatch.setattr(ProcessPool, "submit", submit)
    return trained


def test_a_method_is_trained_in_a_process_to_the_numbers_of_this_one(cli: Cli) -> None:
    outcome = cli("linear", "-o", "w/", "-j", 2, "--scaling", "none")
    assert outcome.code == 0, outcome.lines
    assert sorted(path.name for path in Path("w").iterdir()) == ["linear.safetensors"]
    assert any("linear: w/linear.safetensors, 93 parameters, 2 scenes" in line for line in outcome.lines)
    train("linear", DATA, None, Path("alone.safetensors"), scaling="none")
    assert read_card(Path("w/linear.safetensors")) == read_card(Path("alone.safetensors"))
    for name, array in load_file("alone.safetensors").items():
        np.testing.assert_array_equal(load_file("w/linear.safetensors")[name], array)


def test_a_failure_is_told_and_the_others_go_on_and_are_not_repeated(cli: Cli, at_once: list[str]) -> None:
    outcome = cli("mean,linear,mallett", "-o", "w")
    assert (outcome.code, outcome.lines[-1]) == (
        3, "specrec: error: 1 of 3 trainings failed, and there is no w/mean.safetensors",
    )  # fmt: skip
    assert any("] mean: failed: its process died with signal SIGKILL (" in line for line in outcome.lines)
    assert sorted(path.name for path in Path("w").iterdir()) == ["linear.safetensors", "mallett.safetensors"]
    del at_once[:]
    outcome = cli("mean,linear,mallett", "-o", "w")
    assert (outcome.code, at_once) == (2, [])
    assert outcome.lines == [
        "specrec: error: w/linear.safetensors exists; --overwrite replaces it, --skip-existing leaves its method out"
    ]
    outcome = cli("mean,linear,mallett", "-o", "w", "--skip-existing")
    assert (outcome.code, at_once) == (3, ["mean"])
    assert outcome.lines[0] == "2 of 3 methods left out: their weights exist"
    assert cli("linear,mallett", "-o", "w", "--overwrite").code == 0
    assert at_once == ["mean", "linear", "mallett"]
    outcome = cli("mean", "-o", "other/")
    assert (outcome.code, outcome.lines[-1]) == (
        1, "specrec: error: no weights were made: the training failed, see above",
    )  # fmt: skip


def test_two_of_one_name_are_told_apart_by_their_parameters(cli: Cli, at_once: list[str]) -> None:
    assert cli("polynomial,polynomial[degree=2]", "-o", "w").code == 0
    names = sorted(path.name for path in Path("w").iterdir())
    assert len(names) == 2
    assert all(name.startswith("polynomial-") and len(name) == len("polynomial-01234567.safetensors") for name in names)
    assert len(at_once) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("linear,mallett", "-o", "w.safetensors"), "w.safetensors is one file and the weights of several methods"),
        (("linear,linear", "-o", "w"), "linear and linear are the same method with the same parameters"),
        (("linear,liner", "-o", "w"), "did you mean 'linear'?"),
        (("linear,mallett", "-o", "w", "--overwrite", "--skip-existing"), "contradict each other"),
        (("linear,mallett", "-o", "w", "-j", 2, "--dask", "local:2"), "--jobs 2 and --dask local:2 contradict"),
        (("linear,mallett", "-o", "w", "--dask", "nowhere"), "names no cluster"),
        (("linear", "-o", "w.safetensors", "-j", 2), "--jobs is for several methods"),
        (("linear", "-o", "w.safetensors", "--dask", "local:2"), "--dask is for several methods"),
        (("linear,mallett", "-o", "w", "--device", "cuda:1", "--dask", "local:2"), "names a device of one machine"),
    ],
)
def test_what_cannot_be_meant_leaves_with_2_before_any_work(cli: Cli, words: tuple[object, ...], said: str) -> None:
    outcome = cli(*words)
    assert outcome.code == 2
    assert len(outcome.lines) == 1
    assert said in outcome.lines[0]
    assert list(Path().iterdir()) == []


def test_weights_of_another_training_are_never_taken_for_finished(cli: Cli, at_once: list[str]) -> None:
    assert cli("linear", "-o", "w/", "--seed", 1).code == 0
    outcome = cli("linear,mallett", "-o", "w/", "--skip-existing")
    assert (outcome.code, outcome.lines) == (1, [
        "specrec: error: w/linear.safetensors exists and is not what would be trained: its seed is 1, not 0; "
        "move it away, or pass --overwrite"
    ])  # fmt: skip
    assert at_once == ["linear"]


def test_weights_whose_place_is_taken_meanwhile_are_kept_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "linear.safetensors"
    (tmp_path / "linear-2.safetensors").write_text("older")

    def appear(*_told: object) -> None:
        target.write_text("theirs")

    with pytest.raises(SpecrecError, match=r"has appeared while this was trained, and stays; the weights are in .*-3"):
        train("linear", DATA, None, target, progress=appear)
    assert (target.read_text(), (tmp_path / "linear-2.safetensors").read_text()) == ("theirs", "older")
    assert read_card(tmp_path / "linear-3.safetensors")["method"] == "linear"


def test_a_training_that_an_earlier_try_has_finished_is_not_done_again(tmp_path: Path, at_once: list[str]) -> None:
    from specrec.reconstruction import many_trainings, training

    kept: list[dict[str, object]] = []

    def twice(values: dict[str, object]) -> dict[str, object]:
        run_training(values)
        kept.append(run_training(values))
        return kept[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many_trainings, "run_training", twice)
        fits: list[str] = []
        real = training._fit
        patch.setattr(training, "_fit", lambda *given: (fits.append("one"), real(*given))[1])
        outcome = many_trainings.train_many(["linear"], DATA, None, tmp_path)
    assert (outcome.failed, fits, len(at_once)) == ({}, ["one"], 1)
    assert [path.name for path in tmp_path.iterdir()] == ["linear.safetensors"]


def test_weights_that_another_training_is_at_are_left_to_it(cli: Cli, at_once: list[str]) -> None:
    with locked_weights([Path("w/linear.safetensors")]):
        for words in (("mallett,linear", "-o", "w"), ("linear", "-o", "w/linear.safetensors", "--overwrite")):
            outcome = cli(*words)
            assert (outcome.code, at_once, len(outcome.lines)) == (1, [], 1)
            assert f"w/linear.safetensors is in use by the training of process {os.getpid()} on " in outcome.lines[0]
        assert cli("mallett", "-o", "w/").code == 0  # is another file
    assert sorted(path.name for path in Path("w").iterdir()) == ["mallett.safetensors"]
    assert cli("linear", "-o", "w/linear.safetensors").code == 0


def test_where_there_are_no_locks_one_trains_without(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("specrec.output_lock.FileLock.acquire", refuses)
    assert cli("linear", "-o", "w/linear.safetensors").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_killed_and_started_again_it_goes_on_and_repeats_nothing(cli: Cli, at_once: list[str]) -> None:
    words = [f"linear,{PIXEL}", "-o", "w/", "--skip-existing"]
    start = "from specrec.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", start, "train", *words, "-d", DATA],
        stderr=subprocess.PIPE,
        env={**os.environ, "SPECREC_CHECKPOINT_SECONDS": "0"},
    )
    checkpoint = Path("w/pixel.checkpoint.safetensors")
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    said = process.communicate(timeout=60)[1]
    assert checkpoint.exists(), said
    time.sleep(0.3)
    before = checkpoint.stat().st_mtime_ns
    time.sleep(0.5)
    assert checkpoint.stat().st_mtime_ns == before, "the process of the training outlived its parent"
    finished = Path("w/linear.safetensors").stat().st_mtime_ns
    outcome = cli(*words)
    assert (outcome.code, at_once) == (0, [PIXEL]), outcome.lines
    assert outcome.lines[0] == "1 of 2 methods left out: its weights exist"
    assert sorted(path.name for path in Path("w").iterdir()) == ["linear.safetensors", "pixel.safetensors"]
    assert Path("w/linear.safetensors").stat().st_mtime_ns == finished
    assert cli(PIXEL, "-o", "whole/").code == 0
    for name, array in load_file("whole/pixel.safetensors").items():
        np.testing.assert_array_equal(load_file("w/pixel.safetensors")[name], array)


def test_the_process_of_a_training_ends_with_whoever_has_started_it() -> None:
    values = {"method": "pixel[steps=1000000]", "dataset": DATA, "data": None}  # it would not be ready in an hour
    sent = json.dumps({"function": "specrec.reconstruction.training:run_training", "values": values})
    worker = [sys.executable, "-P", "-m", "specrec.process_worker"]
    done = subprocess.run(worker, input=f"{sent}\n".encode(), capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, b"")  # its standard input was closed, as when the parent is gone


def test_a_process_calls_nothing_but_functions_of_specrec() -> None:
    with ProcessPool(1, lambda *_told: None) as pool:
        future = pool.submit(json.dumps, {"label": "a"})
        with pytest.raises(SpecrecError, match="json is no module of specrec"):
            future.result(timeout=60)
