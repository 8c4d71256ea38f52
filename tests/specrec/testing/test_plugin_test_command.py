"""`specrec plugin test`: what it finds, prints, and leaves with."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import wrong_methods as wrong

from specrec.cli import main
from specrec.errors import UsageError
from specrec.interfaces import SceneSource
from specrec.registry import Broken, Offer, Registry
from specrec.testing import apart
from specrec.testing.checks import Check, NotApplicable, NotConforming, checks_of
from specrec.testing.methods import processes
from specrec.testing.results import tried


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


def offering(*methods: type[wrong.Right], distribution: str = "specrec-Some_thing") -> Registry:
    found = Registry()
    for method in methods:
        found.reconstructors[method.name] = Offer(method.name, method, distribution, "1.0")
    return found


class Raises(wrong.Right):
    name = "raises"

    @property
    def bytes_per_pixel(self):
        print("noise")  # noqa: T201 - what plugins do
        raise ZeroDivisionError("no\nluck")


class Leaves(wrong.Right):
    name = "leaves"

    def learn(self, scenes):
        sys.exit(5)


class Interrupted(wrong.Right):
    name = "interrupted"

    def learn(self, scenes):
        raise KeyboardInterrupt


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    def run(found: Registry, *words: object) -> Outcome:
        monkeypatch.setattr("specrec.registry.registry", lambda: found)
        front = ["-v"] if "-v" in words else []
        monkeypatch.setattr(
            sys, "argv", ["specrec", *front, "plugin", "test", *(str(word) for word in words if word != "-v")]
        )
        with pytest.raises(SystemExit) as leaving:
            main()
        said = capsys.readouterr()
        return Outcome(int(leaving.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep these tests quick: tests of the checks start the processes."""

    def skipping(_subject: object) -> None:
        raise NotApplicable("not started here")

    def here(places, _distribution, _data, _trials, begin):
        for _, check in places:
            begin(check)
            yield tried(check)

    monkeypatch.setattr(processes, "_report", skipping)
    monkeypatch.setattr(apart, "tried_apart", here)


APART = apart.tried_apart


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution in a folder of its own, with two methods that end the process and one that does not."""
    information = tmp_path / "specrec_ends-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: specrec-ends\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[specrec]\nends = specrec_ends\n")
    shutil.copy(Path(__file__).with_name("wrong_methods.py"), tmp_path / "rights.py")
    (tmp_path / "specrec_ends.py").write_text(ENDS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(apart, "tried_apart", APART)


ENDS = """
import os, specrec, rights

class Exits(rights.Right):
    name = "a-exits"
    def reconstruct(self, rgb):
        print("noise", flush=True)
        os.write(1, b"more noise")
        os._exit(0)

class Crashes(rights.Right):
    name = "crashes"
    def learn(self, scenes):
        os.kill(os.getpid(), 11)

class Fine(rights.Right):
    name = "fine"

@specrec.hookimpl
def specrec_reconstructors():
    return [Exits, Crashes, Fine]
"""


EXITED = "the process died (exit code 0) while this was tried; let the plugin never end the process"
CRASHED = "the process died (signal SIGSEGV) while this was tried; look for a compiled library that crashes"


@pytest.mark.usefixtures("installed")
def test_a_plugin_that_ends_the_process_is_told_of_and_the_others_are_tried(cli: Cli) -> None:
    from specrec.registry import load_plugins
    from specrec.registry.loading import installed

    found = load_plugins([point for point in installed() if point.name == "ends"])
    done = cli(found, "specrec-ends", "-k", "es")
    lines = [line.split(maxsplit=2) for line in done.out.splitlines()[:-1]]
    assert done.code == 1
    failed = [re.split("  +", f"{subject}  {words}") for outcome, subject, words in lines if outcome == "FAILED"]
    assert failed == [
        ["a-exits", "any size gives a cube of that size, bands last", EXITED],
        ["crashes", "fit learns from small scenes and returns self", CRASHED],
    ]
    skipped = {subject for outcome, subject, words in lines if "not tried, for the process died" in words}
    assert skipped == {"a-exits", "crashes"}
    assert ("ok", "fine") in [(outcome, subject) for outcome, subject, _ in lines]
    assert "noise" not in done.out
    assert done.out.splitlines()[-1].startswith("specrec-ends: ")


@pytest.mark.parametrize("name", ["specrec-Some_thing", "specrec.some-thing", "right"])
def test_a_distribution_is_found_by_its_name_and_by_that_of_its_method(cli: Cli, name: str) -> None:
    done = cli(offering(wrong.Right), name, "-k", "unknown")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "ok       right  an unknown parameter is refused",
        "specrec-Some_thing: 1 ok, 0 failed, 0 skipped (0 s)",
    ]


def test_the_entry_point_is_a_name_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    point = SimpleNamespace(name="door", dist=SimpleNamespace(name="specrec-Some_thing"))
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point])
    assert cli(offering(wrong.Right), "door", "-k", "unknown").out.splitlines()[-1].startswith("specrec-Some_thing: 1")


def test_a_name_that_is_nobodys_is_a_usage_error_with_the_nearest(cli: Cli) -> None:
    done = cli(offering(wrong.Right), "specrec-something")
    assert (done.code, done.out) == (2, "")
    assert "did you mean 'specrec-Some_thing'?" in done.err


def test_a_distribution_that_is_not_installed_is_told_so_without_a_far_guess(cli: Cli) -> None:
    said = "specrec-my-metric is not installed in this environment: python -m pip install -e . in its folder"
    assert cli(offering(wrong.Right), "specrec-my-metric").err == f"specrec: error: {said}\n"
    with pytest.raises(UsageError, match=said):
        checks_of("specrec-my-metric")


def test_a_broken_promise_is_a_line_and_exit_1(cli: Cli) -> None:
    done = cli(offering(wrong.Double), "right")
    failed = [line for line in done.out.splitlines() if line.startswith("FAILED")]
    assert done.code == 1
    assert len(failed) == 1
    assert re.search(r"right  cubes are float32 +the cube is float64; end reconstruct with", failed[0])
    assert "specrec-Some_thing breaks 1 promise" in done.err
    columns = {line.index(word) for line in done.out.splitlines() for word in ("an unknown", "a refit") if word in line}
    assert columns == {16}


def test_what_a_plugin_raises_is_a_failure_and_the_rest_goes_on(cli: Cli) -> None:
    done = cli(offering(Raises), "raises")
    extent = next(line for line in done.out.splitlines() if "whole numbers" in line)
    assert extent.startswith("FAILED")
    assert extent.endswith("ZeroDivisionError: no luck (plugin code)")
    assert re.search(r"^ok +raises +a refit forgets$", done.out, re.MULTILINE)
    assert "noise" not in done.out
    assert "Traceback" not in done.err
    assert "bytes_per_pixel" in cli(offering(Raises), "raises", "-k", "whole numbers", "-v").err


def test_a_plugin_that_ends_the_process_has_failed_once(cli: Cli) -> None:
    done = cli(offering(Leaves), "leaves")
    assert done.code == 1
    (failed,) = (line for line in done.out.splitlines() if line.startswith("FAILED"))
    assert re.search(r"fit learns from small scenes and returns self +fit on .* raised SystemExit: 5; ", failed)
    assert done.out.splitlines()[-1].startswith("specrec-Some_thing: ")


def test_an_interruption_says_which_check_was_under_way(cli: Cli) -> None:
    done = cli(offering(Interrupted), "interrupted")
    assert done.code == 130
    assert "interrupted while it tried: interrupted: fit learns from small scenes" in done.err


def test_what_cannot_be_loaded_is_a_failure_of_its_distribution(cli: Cli) -> None:
    found = offering(wrong.Right)
    found.broken.append(Broken("other", "specrec-some-thing", "it cannot be imported (no luck)"))
    done = cli(found, "other", "-k", "loaded")
    assert done.code == 1
    assert "FAILED   other  it can be loaded and used  it is listed as broken: it cannot be imported" in done.out


def test_settings_and_words_can_be_given(cli: Cli) -> None:
    done = cli(offering(wrong.Right), "right", "-m", "right[draws=2]", "-m", "right[noise=0.5]", "-k", "builds build")
    assert done.code == 2
    assert "has the words 'builds build'" in done.err
    done = cli(offering(wrong.Right), "right", "-m", "right[draws=2]", "-m", "right[noise=0.5]", "-k", "settings BUILD")
    assert [line.split()[1] for line in done.out.splitlines()[:-1]] == ["right[draws=2]", "right[noise=0.5]"]
    assert cli(offering(wrong.Right), "right", "-m", "right[draw=2]").code == 2
    assert cli(offering(wrong.Right), "right", "-m", "wrong").code == 2


def test_a_data_set_that_is_nobodys_is_a_usage_error(cli: Cli) -> None:
    assert "NAME=PATH" in cli(offering(wrong.Right), "right", "--data", "cave").err
    assert "unknown data set" in cli(offering(wrong.Right), "right", "--data", "cave=here").err


@pytest.mark.parametrize(
    ("variable", "distribution", "folder", "said"),
    [
        ("SPECREC_SHELF", "specrec-Some_thing", "nowhere", "nowhere is no folder"),
        ("SPECREC_SHELF", "another", ".", "shelf is offered by another, not by specrec-Some_thing"),
        (None, "specrec-Some_thing", ".", "makes its scenes; leave out --data shelf=."),
    ],
)
def test_a_folder_that_cannot_be_meant_is_a_usage_error(
    cli: Cli, variable: str | None, distribution: str, folder: str, said: str
) -> None:
    done = cli(shelved(variable, distribution), "right", "--data", f"shelf={folder}")
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_the_last_line_says_what_was_not_tried_for_want_of_a_folder(cli: Cli) -> None:
    done = cli(shelved("SPECREC_SHELF", "specrec-Some_thing"), "right", "-k", "shelf:")
    assert re.search(r"12 skipped \(0 s\); 12 not tried: name the folder with --data shelf=FOLDER$", done.out.strip())


def shelved(variable: str | None, distribution: str) -> Registry:
    """`wrong.Right` and a data set."""

    class Shelf(SceneSource):
        name = "shelf"
        summary = "scenes of a test"
        quantity = "radiance"
        path_variable = variable

        def names(self):
            raise UsageError(f"{self.path} is no folder")

        def open(self, name):
            raise UsageError(f"no scene {name!r}")

    found = offering(wrong.Right)
    found.scene_sources["shelf"] = Offer("shelf", Shelf, distribution, "1.0")
    return found


def test_json_has_every_check(cli: Cli) -> None:
    done = cli(offering(wrong.Double), "right", "--format", "json", "-k", "float32")
    told = json.loads(done.out)
    assert (done.code, told["failed"], told["distribution"]) == (1, 1, "specrec-Some_thing")
    (check,) = told["checks"]
    assert {key: check[key] for key in ("kind", "subject", "promise", "outcome")} == {
        "kind": "method",
        "subject": "right",
        "promise": "cubes are float32",
        "outcome": "failed",
    }


def test_pytest_is_not_needed() -> None:
    code = "import sys; import specrec.cli.plugin_test, specrec.testing; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_test_is_skipped_with_the_reason_and_fails_with_the_message() -> None:
    from specrec.testing.parametrise import parametrised

    def refuse() -> str:
        raise NotApplicable("no reason")

    def break_() -> str:
        raise NotConforming("found; change")

    mark = parametrised([Check("method", "a", "skips", refuse), Check("method", "b", "breaks", break_)]).mark
    skips, breaks = mark.args[1]
    assert mark.kwargs["ids"] == ["a: skips", "b: breaks"]
    with pytest.raises(pytest.skip.Exception, match="no reason"):
        skips()
    with pytest.raises(NotConforming, match="found; change"):
        breaks()


def test_checks_are_those_of_one_distribution() -> None:
    found = offering(wrong.Right)
    found.reconstructors["right-pixel"] = Offer("right-pixel", wrong.RightPixel, "another", "1")
    assert {check.subject for check in checks_of("another", offered=found)} == {"right-pixel"}
