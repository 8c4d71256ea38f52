"""Every command of the pages works: its own command line can read it, and with ``-m commands`` it is run."""

import re
import shlex
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import click
import pytest
from page_run import NOT_RUN, TABLE, code_of, is_fragment, own_folder, run_page, strings
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


@pytest.mark.parametrize("command", NOT_RUN)
def test_what_is_not_run_is_still_shown_and_says_why(command: str) -> None:
    entry = NOT_RUN[command]
    assert command in {shown.text for shown in COMMANDS}
    assert entry["kind"] in KINDS
    assert len(entry["why"].split()) > 3
    assert ("instead" in entry) == (entry["kind"] == "long")
    if "instead" in entry:
        assert shlex.split(entry["instead"])[:2] == shlex.split(command)[:2]


def test_the_tables_tell_of_nothing_that_is_not_shown() -> None:
    texts = {shown.text for shown in COMMANDS}
    assert set(TABLE["folder"]) <= texts
    assert set(TABLE["before"]) <= {shown.page for shown in PIECES}
    named = {word for shown in COMMANDS for words in words_of(shown.text) for word in words}
    named |= {word for shown in PIECES for word in strings(shown.text)}
    assert {*PRESUMED, *TABLE["made_by"]} <= named


@pytest.mark.skipif(not (ROOT / ".ci").is_dir(), reason="the source distribution has no .ci/run")
def test_what_is_left_to_ci_stands_there() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    for command, entry in NOT_RUN.items():
        if entry["kind"] == "ci":
            for part in command.split(" && "):
                wanted = re.escape(part) if not part.endswith(" .") else re.escape(part[:-1]) + r'"?\.'
                assert re.search(rf"^(?:.* && )?{wanted}", script, re.MULTILINE), part


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future]]:
    """What went wrong on each page that is asked for, found in two lanes side by side.

    The pages of a lane share a cache and a results folder one after another, as those of a user do who reads on: a cell
    is computed once. So the pages with whole families of methods are in one lane, and all others in the second.
    """
    mine = "test_the_commands_of_a_page_do_what_they_say"
    asked = [item.callspec.params["page"] for item in request.session.items if item.name.startswith(f"{mine}[")]
    pools = [ThreadPoolExecutor(1), ThreadPoolExecutor(1)]
    lanes = [tmp_path_factory.mktemp("lane") for _ in pools]

    def start(page: str) -> Future:
        lane = 0 if any(re.search("--protocol (branches|family)", shown.text) for shown in SHOWN[page]) else 1
        return pools[lane].submit(run_page, page, tmp_path_factory.mktemp("page"), lanes[lane])

    yield {page: start(page) for page in asked}
    for pool in pools:
        pool.shutdown(cancel_futures=True)


@pytest.mark.commands
@pytest.mark.parametrize("page", [page for page, shown in SHOWN.items() if {s.kind for s in shown} - {"file"}])
def test_the_commands_of_a_page_do_what_they_say(page: str, outcomes: dict[str, Future]) -> None:
    failures = outcomes[page].result()
    assert not failures, "\n\n".join(failures)
