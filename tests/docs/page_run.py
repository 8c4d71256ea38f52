"""One page, typed: what it shows is run in its order in a folder of its own, with the files that it presumes."""

import ast
import builtins
import logging
import shlex
import shutil
import time
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from page_shell import PageShell, free_port
from presumed_files import PRESUMED, copy_sources
from shown_commands import ROOT, Shown, program, shown_on, words_of

TABLE = tomllib.loads((Path(__file__).parent / "command_table.toml").read_text("utf-8"))
NOT_RUN: list[dict[str, str]] = TABLE["not_run"]
GOES_ON: list[dict[str, str]] = TABLE.get("goes_on", [])
OUTPUTS = ("-o", "--output")
DATA_SETS = ("cave", "icvl")
"""Seconds to write: once for a lane, and each page has a copy."""
log = logging.getLogger(__name__)


def run_page(page: str, folder: Path, lane: Path) -> list[str]:
    """Run what a page shows, in its order; say what went wrong.

    Parameters
    ----------
    page
        Its path from the root of the repository.
    folder
        An empty one.
    lane
        Of the pages that are run one after another: they share a cache and a results folder.
    """
    for name in DATA_SETS:
        if not (lane / name).exists():
            PRESUMED[f"path/to/{name}"](lane / name)
        shutil.copytree(lane / name, folder / name)
    variables = {
        "SPECREC_CACHE": str(lane / "cache"),
        "SPECREC_CAVE": str(folder / "cave"),
        "SPECREC_ICVL": str(folder / "icvl"),
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "SPECREC_JOBS": "0",  # each cell in the process of its bench: half of the time is starting processes
    }
    shell = PageShell(folder / "page", variables)
    results = lane / "results"
    results.mkdir(exist_ok=True)
    for old in results.glob("*/report*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    if own := own_folder(page):
        shutil.copytree(own, shell.folder, dirs_exist_ok=True)
    (shell.folder / "specrec-results").symlink_to(results)
    said = {**TABLE.get("said_here", {}), "{port}": str(free_port())}  # the port last: it stands in the others
    try:
        return list(failures_of(shell, shown_on(ROOT / page), said))
    finally:
        shell.end()


def failures_of(shell: PageShell, page: list[Shown], said: Mapping[str, str]) -> Iterator[str]:
    """Run what a page shows; `said` is what stands on it, by what is said here for it."""
    done: set[str] = set()
    for shown in page:
        if shown.kind == "file":
            target = shell.here / shown.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(as_said(shown.text, said), "utf-8")
        elif shown.text not in done and not (shown.kind == "python" and is_fragment(shown)):
            done.add(shown.text)
            yield from run(shell, shown, said)


def entry_of(command: str, entries: list[dict[str, str]]) -> dict[str, str]:
    """Find what a table says of a command, by the whole of it or by the words that it begins with; empty: nothing.

    The variables that it sets are no words that it begins with.
    """
    words = next(iter(words_of(command)), [])
    for entry in entries:
        begins = entry.get("begins", "").split()
        if command == entry.get("command") or (begins and words[: len(begins)] == begins):
            return entry
    return {}


def run(shell: PageShell, shown: Shown, said: Mapping[str, str]) -> list[str]:
    """Run one command or piece of Python, with what it presumes; a list of what went wrong."""
    here = Shown(shown.page, shown.line, shown.kind, as_said(shown.text, said), shown.name)
    going = entry_of(shown.text, GOES_ON) if shown.kind != "python" else {}
    command = prepared(shell, here, entry_of(shown.text, NOT_RUN))
    if not command:
        return []
    began = time.perf_counter()
    if going:
        fault = shell.begin(f"{command.rstrip('& ')} {as_said(going.get('more', ''), said)}", going["ready"])
    else:
        finished = shell.run(command)
        last = "\n".join(finished.stdout.splitlines()[-12:])
        fault = f"exit code {finished.returncode}\n{last}" if finished.returncode else None
    log.info("%6.1f s  %s", time.perf_counter() - began, shown)
    if fault is None:
        return []
    told = f"{shown}: {fault}"
    log.error(told)
    return [told]


def as_said(text: str, said: Mapping[str, str]) -> str:
    for there, here in said.items():
        text = text.replace(there, here)
    return text


def prepared(shell: PageShell, shown: Shown, entry: Mapping[str, str]) -> str:
    """Put there what a command presumes, and give the line to run; it is empty where nothing is run here."""
    command = shown.text
    if shown.kind == "python":
        script = shell.folder.parent / f"line{shown.line}.py"
        script.write_text(code_of(shown), "utf-8")
        prepare(shell, sorted(strings(shown.text)), set())
        return f"python {shlex.quote(str(script))}"
    if entry:
        command = entry.get("instead", "")
    elif shown.text in TABLE["folder"]:
        command = f"cd {TABLE['folder'][shown.text]} && {shown.text} && cd -"
    if not command or (program(shown.text) == "pdflatex" and not shutil.which("pdflatex")):
        return ""
    words = [word for part in words_of(command) for word in part]
    outputs = {word for before, word in pairwise(words) if before in OUTPUTS}
    if shown.kind == "inline":  # it stands for itself: what it writes was not written by the one before it
        for word in outputs:
            if (shell.here / word).is_file():
                (shell.here / word).unlink()
    prepare(shell, words, outputs)
    return command


def prepare(shell: PageShell, words: list[str], outputs: set[str]) -> None:
    """Put there what the words name and no command has made; take away what was put there and is now to be made."""
    for word in words:
        path = shell.here / word
        if word in outputs and word in PRESUMED:
            path.unlink(missing_ok=True)
        elif word in PRESUMED and not is_there(path):
            copied = shell.folder.parents[1] / path.name
            if word.startswith("path/to/") and copied.name in DATA_SETS:
                shutil.copytree(copied, path)
            else:
                PRESUMED[word](path)
        elif word in TABLE["made_by"] and not path.exists():
            finished = shell.run(TABLE["made_by"][word])
            assert finished.returncode == 0, finished.stdout
        elif wants_sources(shell.here, word, words):
            copy_sources(shell.here)


def is_there(path: Path) -> bool:
    """Whether a file or folder is there; ``path`` is not for having ``path/to/cave`` in it."""
    return path.is_file() or (path.is_dir() and {inner.name for inner in path.iterdir()} != {"to"})


def wants_sources(here: Path, word: str, words: list[str]) -> bool:
    """Say whether a command is typed in the folder of the repository: it runs a script of it, or installs it."""
    if word == ".":
        return "install" in words and not (here / "pyproject.toml").exists()
    return word.startswith(("benchmarks/", "docs/")) and not (here / word).exists()


def own_folder(page: str) -> Path | None:
    """The folder that the commands of a page are typed in, if it is the README of a distribution that docs/ holds."""
    folder = (ROOT / page).parent
    return folder if folder != ROOT and (folder / "pyproject.toml").is_file() else None


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


def strings(code: str) -> set[str]:
    constants = (node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}
