"""Every command of the pages works: its own command line can read it, and with ``-m commands`` it is run."""

import ast
import builtins
import logging
import os
import re
import resource
import shlex
import shutil
import tomllib
from itertools import pairwise
from pathlib import Path

import click
import pytest
from page_shell import PageShell
from parsed_commands import parse
from presumed_files import PRESUMED, copy_sources
from shown_commands import PROGRAMS, ROOT, Shown, pages, program, shown_on, words_of

TABLE = tomllib.loads((Path(__file__).parent / "command_table.toml").read_text("utf-8"))
NOT_RUN = {entry["command"]: entry for entry in TABLE["not_run"]}
KINDS = {"ci", "gpu", "icvl", "cluster", "index", "long"}
SHOWN = {page.relative_to(ROOT).as_posix(): shown_on(page) for page in pages()}
COMMANDS = [shown for page in SHOWN.values() for shown in page if shown.kind in ("block", "inline")]
PIECES = [shown for page in SHOWN.values() for shown in page if shown.kind == "python"]
OUTPUTS = ("-o", "--output")
log = logging.getLogger(__name__)


def undefined(code: str) -> set[str]:
    """The names that a piece of Python uses and nowhere binds."""
    nodes = list(ast.walk(ast.parse(code)))
    used = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    bound |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {
        (alias.asname or alias.name).split(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return used - bound - set(dir(builtins))


def code_of(shown: Shown) -> str:
    return f"{TABLE['before'].get(shown.page, '')}{shown.text}"


def is_fragment(shown: Shown) -> bool:
    return bool(undefined(code_of(shown)))


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


def own_folder(page: str) -> Path | None:
    """The folder that the commands of a page are typed in, if it is the README of a distribution that docs/ holds."""
    folder = (ROOT / page).parent
    return folder if folder != ROOT and (folder / "pyproject.toml").is_file() else None


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


def strings(code: str) -> set[str]:
    constants = (node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One results folder for all pages, as a user has who reads one after another: a cell is computed once."""
    return tmp_path_factory.mktemp("results")


@pytest.mark.commands
@pytest.mark.parametrize("page", [page for page, shown in SHOWN.items() if {s.kind for s in shown} - {"file"}])
def test_the_commands_of_a_page_do_what_they_say(page: str, tmp_path: Path, results: Path) -> None:
    for name in ("cave", "icvl"):
        PRESUMED[f"path/to/{name}"](tmp_path / name)
    variables = {
        "SPECREC_CACHE": os.environ["SPECREC_CACHE"],
        "SPECREC_CAVE": str(tmp_path / "cave"),
        "SPECREC_ICVL": str(tmp_path / "icvl"),
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "SPECREC_JOBS": "0",  # each cell in the process of its bench: a quarter of the time is starting processes
    }
    shell = PageShell(tmp_path / "page", variables)
    for old in results.glob("*/report*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    if folder := own_folder(page):
        shutil.copytree(folder, shell.folder, dirs_exist_ok=True)
    (shell.folder / "specrec-results").symlink_to(results)
    done: set[str] = set()
    failures = []
    for shown in SHOWN[page]:
        if shown.kind == "file":
            target = shell.here / shown.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(shown.text, "utf-8")
        elif shown.text not in done and not (shown.kind == "python" and is_fragment(shown)):
            done.add(shown.text)
            failures += run(shell, shown)
    assert not failures, "\n\n".join(failures)


def run(shell: PageShell, shown: Shown) -> list[str]:
    """Run one command or piece of Python, with what it presumes; a list of what went wrong."""
    command = shown.text
    if shown.kind == "python":
        script = shell.folder.parent / f"line{shown.line}.py"
        script.write_text(code_of(shown), "utf-8")
        command = f"python {shlex.quote(str(script))}"
        prepare(shell, sorted(strings(shown.text)), set())
    elif shown.text in NOT_RUN:
        command = NOT_RUN[shown.text].get("instead", "")
    elif shown.text in TABLE["folder"]:
        command = f"cd {TABLE['folder'][shown.text]} && {shown.text} && cd -"
    if not command or (program(shown.text) == "pdflatex" and not shutil.which("pdflatex")):
        return []
    if shown.kind != "python":
        words = [word for part in words_of(command) for word in part]
        outputs = {word for before, word in pairwise(words) if before in OUTPUTS}
        prepare(shell, words, outputs)
    began = processor_seconds()
    finished = shell.run(command)
    log.info("%6.1f s of the processor  %s", processor_seconds() - began, shown)
    if finished.returncode == 0:
        return []
    last = "\n".join(finished.stdout.splitlines()[-12:])
    told = f"{shown}: exit code {finished.returncode}\n{last}"
    log.error(told)
    return [told]


def wants_sources(here: Path, word: str, words: list[str]) -> bool:
    """Say whether a command is typed in the folder of the repository: it runs a script of it, or installs it."""
    if word == ".":
        return "install" in words and not (here / "pyproject.toml").exists()
    return word.startswith(("benchmarks/", "docs/")) and not (here / word).exists()


def processor_seconds() -> float:
    """What the processes that have ended took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def prepare(shell: PageShell, words: list[str], outputs: set[str]) -> None:
    """Put there what the words name and no command has made; take away what was put there and is now to be made."""
    for word in words:
        path = shell.here / word
        if word in outputs and word in PRESUMED:
            path.unlink(missing_ok=True)
        elif word in PRESUMED and not path.exists():
            PRESUMED[word](path)
        elif word in TABLE["made_by"] and not path.exists():
            finished = shell.run(TABLE["made_by"][word])
            assert finished.returncode == 0, finished.stdout
        elif wants_sources(shell.here, word, words):
            copy_sources(shell.here)
