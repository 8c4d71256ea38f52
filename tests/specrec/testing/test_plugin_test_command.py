"""`specrec plugin test`: what it finds, prints, and leaves with."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import wrong_methods as wrong

from specrec.cli import main
from specrec.registry import Broken, Offer, Registry
from specrec.testing.checks import Check, NotApplicable, NotConforming, checks_of
from specrec.testing.methods import processes


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

    monkeypatch.setattr(processes, "_report", skipping)


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


def test_a_plugin_that_ends_the_process_does_not(cli: Cli) -> None:
    done = cli(offering(Leaves), "leaves")
    assert done.code == 1
    assert "SystemExit: 5 (plugin code)" in done.out
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
