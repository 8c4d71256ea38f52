"""One page, typed: what it shows is run in its order in a folder of its own, with the files that it presumes."""

import ast
import builtins
import logging
import shlex
import shutil
import time
import tomllib
from itertools import pairwise
from pathlib import Path

from page_shell import PageShell
from presumed_files import PRESUMED, copy_sources
from shown_commands import ROOT, Shown, program, shown_on, words_of

TABLE = tomllib.loads((Path(__file__).parent / "command_table.toml").read_text("utf-8"))
NOT_RUN = {entry["command"]: entry for entry in TABLE["not_run"]}
OUTPUTS = ("-o", "--output")
log = logging.getLogger(__name__)


def run_page(page: str, folder: Path, lane: Path) -> list[str]:
    """Run what a page shows, in its order; say what went wrong."""
    for name in ("cave", "icvl"):
        PRESUMED[f"path/to/{name}"](folder / name)
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
    done: set[str] = set()
    failures = []
    for shown in shown_on(ROOT / page):
        if shown.kind == "file":
            target = shell.here / shown.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(shown.text, "utf-8")
        elif shown.text not in done and not (shown.kind == "python" and is_fragment(shown)):
            done.add(shown.text)
            failures += run(shell, shown)
    return failures


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
        if shown.kind == "inline":  # it stands for itself: what it writes was not written by the one before it
            for word in outputs:
                if (shell.here / word).is_file():
                    (shell.here / word).unlink()
        prepare(shell, words, outputs)
    began = time.perf_counter()
    finished = shell.run(command)
    log.info("%6.1f s  %s", time.perf_counter() - began, shown)
    if finished.returncode == 0:
        return []
    last = "\n".join(finished.stdout.splitlines()[-12:])
    told = f"{shown}: exit code {finished.returncode}\n{last}"
    log.error(told)
    return [told]


def prepare(shell: PageShell, words: list[str], outputs: set[str]) -> None:
    """Put there what the words name and no command has made; take away what was put there and is now to be made."""
    for word in words:
        path = shell.here / word
        if word in outputs and word in PRESUMED:
            path.unlink(missing_ok=True)
        elif word in PRESUMED and not is_there(path):
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
