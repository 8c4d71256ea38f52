"""Every command of the pages works: its own command line can read it, and with ``-m commands`` it is run."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from page_run import GOES_ON, NOT_RUN, TABLE, code_of, entry_of, is_fragment, own_folder, run_page, strings
from parsed_commands import parse
from presumed_files import PRESUMED
from shown_commands import PROGRAMS, ROOT, Shown, pages, shown_on, words_of

KINDS = {"ci", "gpu", "icvl", "cluster", "index", "long"}
SHOWN = {page.relative_to(ROOT).as_posix(): shown_on(page) for page in pages()}
COMMANDS = [shown for page in SHOWN.values() for shown in page if shown.kind in ("block", "inline")]
PIECES = [shown for page in SHOWN.values() for shown in page if shown.kind == "python"]


def test_the_pages_show_commands_and_python() -> None:
    assert len(COMMANDS) >= 90
    assert len([shown for shown in COMMANDS if shown.kind == "inline"]) >= 35
    assert len([shown for shown in PIECES if not is_fragment(shown)]) >= 12
    assert {"README.md", "docs/run.md", "docs/methods/pixel.md"} <= {shown.page for shown in COMMANDS}


@pytest.mark.parametrize("shown", COMMANDS, ids=str)
def test_a_command_is_one_that_the_program_knows(shown: Shown) -> None:
    for words in words_of(shown.text):
        assert words[0] in PROGRAMS, f"{shown}: no program; where it is what a command prints, begin commands with '$ '"
        forms = [word for word in words if re.fullmatch(r"[A-Z]+(_[A-Z]+)*(\.\.\.)?", word)]
        assert forms == [], f"{shown}: show a whole command, with real values for {', '.join(forms)}"
        if words[0] == "specrec":
            try:
                parse(words[1:])
            except click.exceptions.Exit:  # --help
                pass
            except click.ClickException as error:
                pytest.fail(f"{shown}: {error.format_message()}")
        elif words[0] == "python" and words[1].endswith(".py"):
            there = own_folder(shown.page) or ROOT
            assert (there / words[1]).is_file() or words[1] in names_of_files(shown.page), f"{shown}: no such script"


def names_of_files(page: str) -> set[str]:
    return {shown.name for shown in SHOWN[page] if shown.kind == "file"}


@pytest.mark.parametrize("shown", PIECES, ids=lambda shown: f"{shown.page}:{shown.line}")
def test_a_piece_of_python_can_be_read(shown: Shown) -> None:
    compile(code_of(shown), str(shown), "exec")


@pytest.mark.parametrize("entry", [*NOT_RUN, *GOES_ON], ids=lambda entry: entry.get("command", entry.get("begins")))
def test_what_is_not_run_as_it_stands_is_still_shown_and_says_why(entry: dict[str, str]) -> None:
    assert ("command" in entry) != ("begins" in entry)
    about = [shown.text for shown in COMMANDS if entry_of(shown.text, [entry])]
    assert about
    if entry in GOES_ON:
        assert entry["ready"]
        return
    assert entry["kind"] in KINDS
    assert len(entry["why"].split()) > 3
    assert ("instead" in entry) == (entry["kind"] == "long")
    if "instead" in entry:
        assert {tuple(shlex.split(text)[:2]) for text in about} == {tuple(shlex.split(entry["instead"])[:2])}


def test_the_tables_tell_of_nothing_that_is_not_shown() -> None:
    texts = {shown.text for shown in COMMANDS}
    assert set(TABLE["folder"]) <= texts
    assert set(TABLE["before"]) <= {shown.page for shown in PIECES}
    named = {word for shown in COMMANDS for words in words_of(shown.text) for word in words}
    named |= {word for shown in PIECES for word in strings(shown.text)}
    assert {*PRESUMED, *TABLE["made_by"]} <= named
    everything = "\n".join(shown.text for page in SHOWN.values() for shown in page)
    assert [said for said in TABLE.get("said_here", {}) if said not in everything] == []


@pytest.mark.skipif(not (ROOT / ".ci").is_dir(), reason="the source distribution has no .ci/run")
def test_what_is_left_to_ci_stands_there() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    for entry in NOT_RUN:
        if entry["kind"] == "ci":
            for part in entry["command"].split(" && "):
                wanted = re.escape(part) if not part.endswith(" .") else re.escape(part[:-1]) + r'"?\.'
                assert re.search(rf"^(?:.* && )?{wanted}", script, re.MULTILINE), part


@pytest.fixture(scope="session")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache and a results folder, for the pages that this process runs one after another.

    A user who reads on has one too: a cell is computed once.
    """
    return tmp_path_factory.mktemp("lane")


def longest_first() -> list[Any]:
    """Order the pages so that two processes end together; those with whole families of methods share their cells."""
    order = sorted(
        (page for page, shown in SHOWN.items() if {one.kind for one in shown} - {"file"}),
        key=lambda page: -sum(2 * ("specrec bench" in one.text) + (one.kind != "file") for one in SHOWN[page]),
    )
    families = [page for page in order if any(re.search("--protocol (branches|family)", s.text) for s in SHOWN[page])]
    together = pytest.mark.xdist_group("families")
    return [pytest.param(page, marks=together if page in families else ()) for page in order]


@pytest.mark.commands
@pytest.mark.parametrize("page", longest_first())
def test_the_commands_of_a_page_do_what_they_say(page: str, tmp_path: Path, lane: Path) -> None:
    failures = run_page(page, tmp_path, lane)
    assert not failures, "\n\n".join(failures)
