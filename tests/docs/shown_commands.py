"""What the pages show to be typed: commands, pieces of Python and files, found in README.md and docs/.

The rule. In a fenced or an indented block every line that begins with a program (`PROGRAMS`) is a command; where a line
begins with ``$ ``, these lines are and the others are what they print; a block marked sh, bash, shell or console holds
nothing but commands and comments. In the text `code` is a command where it begins with a program and is whole: it has
no placeholder (a word in capitals, dots, a bar), and `specrec SUBCOMMAND` alone names a command that needs more. A
block of Python is code. A block under a line that is nothing but `` `name.py`: `` is that file.

The changelog and benchmarks/results/ are records of what was once run, and are left out.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]
PROGRAMS = frozenset(
    {"cd", "dask", "make", "mkdir", "mkdocs", "pdflatex", "pip", "pytest", "python", "ruff", "sbatch", "specrec"}
)
SHELLS = frozenset({"sh", "bash", "shell", "console"})
PLAIN = frozenset({"", "text"})
INCOMPLETE = frozenset({"pip install", "pip uninstall", "specrec bench"})
"""Names of commands that need more, beside those whose own reading of the command line says so."""

Kind = Literal["block", "inline", "python", "file"]

_FENCE = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}|~{3,}) *(?P<language>[\w+-]*)(?P<rest>.*)$")
_LISTED = re.compile(r"^\s*(?:[-*+]|\d+[.)]|!!!|\?\?\?\+?|===|:) ")
_FILE = re.compile(r"^\s*`(?P<name>[\w./-]+\.\w+)`[^`]*:\s*$")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_SNIPPET = re.compile(r'^\s*-{1,}8<-{1,} "(?P<path>[^":]+)(?::(?P<part>[^"]+))?"\s*$')
_ASSIGNED = re.compile(r"[A-Z][A-Z0-9_]*=")
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*|.*\.\.\.|\.\.|\|")
_BRACKETED = re.compile(r"<[\w ./-]+>")


@dataclass(frozen=True)
class Shown:
    """One thing that a page shows.

    Parameters
    ----------
    page
        Its path from the root of the repository.
    line
        Where it begins, counted from 1.
    kind
        A command in a ``block`` or ``inline``, a piece of ``python``, or a ``file``.
    text
        The command without prompt, continuations and remark; the code; or the content.
    name
        Of the file.
    """

    page: str
    line: int
    kind: Kind
    text: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def pages() -> list[Path]:
    """List the pages in which commands are looked for."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown_on(page: Path) -> list[Shown]:
    """Find what a page shows, in its order."""
    return list(shown_in(page.read_text("utf-8"), page.relative_to(ROOT).as_posix()))


def shown_in(text: str, page: str) -> Iterator[Shown]:
    """Find what the Markdown of a page shows, in its order."""
    for line, language, lines, before in _parts(text):
        if language is None:
            yield from _inline(lines, line, page)
            continue
        content = "\n".join(_with_snippets(lines)) + "\n"
        named = _FILE.match(before)
        if named:
            yield Shown(page, line, "file", content, named["name"])
        elif language in ("python", "py") or (language == "" and _is_python(content)):
            yield Shown(page, line, "python", content)
        elif language in SHELLS | PLAIN:
            yield from _block(lines, line, page, strict=language in SHELLS)


def _parts(text: str) -> Iterator[tuple[int, str | None, list[str], str]]:
    """Cut a page into blocks and the text between them.

    Yields the number of the first line, the language of a block (None: text), the lines, and the last line of text
    before.
    """
    lines = text.splitlines()
    prose: list[str] = []
    start, index, before, listed = 1, 0, "", False

    def take() -> Iterator[tuple[int, None, list[str], str]]:
        if any(line.strip() for line in prose):
            yield start, None, list(prose), before

    while index < len(lines):
        line = lines[index]
        fence = _FENCE.match(line)
        indented = line.startswith("    ") and line.strip() != "" and not listed
        if fence or (indented and (not prose or not prose[-1].strip())):
            yield from take()
            before = next((past for past in reversed(prose) if past.strip()), before if not prose else "")
            first, block = index + 1, []
            if fence:
                index += 1
                while index < len(lines) and not lines[index].strip().startswith(fence["mark"]):
                    block.append(lines[index].removeprefix(fence["indent"]))
                    index += 1
                index += 1
            else:
                first -= 1
                while index < len(lines) and (lines[index].startswith("    ") or not lines[index].strip()):
                    block.append(lines[index][4:])
                    index += 1
                while not block[-1].strip():
                    block.pop()
            yield first + 1, fence["language"].lower() if fence else "", block, before
            prose, start, before = [], index + 1, ""
            continue
        if line.strip():
            listed = bool(_LISTED.match(line)) or (listed and line.startswith(" "))
        prose.append(line)
        index += 1
    yield from take()


def _with_snippets(lines: list[str]) -> Iterator[str]:
    """Put in the files, or the lines of them, that `pymdownx.snippets` puts in."""
    for line in lines:
        found = _SNIPPET.match(line)
        if not found:
            yield line
            continue
        content = (ROOT / found["path"]).read_text("utf-8").splitlines()
        part = found["part"] or ""
        if re.fullmatch(r"\d*:\d*|\d+", part):
            first, _, last = part.partition(":")
            content = content[int(first or 1) - 1 : int(last) if last else None]
        elif part:
            marks = [i for i, text in enumerate(content) if f"[start:{part}]" in text or f"[end:{part}]" in text]
            content = content[marks[0] + 1 : marks[1]]
        yield from (text for text in content if "--8<--" not in text)


def _is_python(content: str) -> bool:
    return re.match(r"(?:import|from) [\w.]+", content) is not None


def program(command: str) -> str:
    """Name the program that a command line begins with, behind the variables it sets."""
    words = command.split()
    while words and _ASSIGNED.match(words[0]):
        words.pop(0)
    return words[0] if words else ""


def words_of(command: str) -> list[list[str]]:
    """Cut a command line into its simple commands, each as words without the variables that it sets."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="&|;<>")
    lexer.whitespace_split = True
    parts: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("&|;"):
            parts.append([])
        else:
            parts[-1].append(word)
    return [_without_variables(part) for part in parts if part]


def _without_variables(words: list[str]) -> list[str]:
    while words and _ASSIGNED.match(words[0]):
        words = words[1:]
    return words


def _block(lines: list[str], first: int, page: str, strict: bool) -> Iterator[Shown]:
    prompted = any(line.startswith("$ ") for line in lines)
    index = 0
    while index < len(lines):
        start, line = index, lines[index]
        while line.endswith("\\") and index + 1 < len(lines):
            index += 1
            line = line[:-1].rstrip() + " " + lines[index].lstrip("> ").lstrip()
        index += 1
        if prompted and not line.startswith("$ "):
            continue
        command = _without_remark(line.removeprefix("$ ").strip())
        if command and (strict or prompted or program(command) in PROGRAMS):
            yield Shown(page, first + start, "block", command)


def _without_remark(line: str) -> str:
    quote = ""
    for index, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#" and (index == 0 or line[index - 1].isspace()):
            return line[:index].rstrip()
    return line


def _inline(lines: list[str], first: int, page: str) -> Iterator[Shown]:
    text = "\n".join(lines)
    for paragraph in re.finditer(r"(?:.+\n?)+", text):
        for span in _SPAN.finditer(paragraph[0]):
            command = " ".join(span[2].split())
            if program(command) in PROGRAMS and is_whole(command):
                line = text.count("\n", 0, paragraph.start() + span.start())
                yield Shown(page, first + line, "inline", command)


def is_whole(command: str) -> bool:
    """Say whether a command in the text is one to type as it stands, and not the name or the form of one."""
    try:
        simple = words_of(command)
    except ValueError:  # quotes that do not close
        return False
    if not simple or any(len(words) < 2 for words in simple) or any(command.endswith(f" {mark}") for mark in "&|;"):
        return False
    if "|" in command.replace("||", "") or _BRACKETED.search(command):
        return False
    if any(_PLACEHOLDER.fullmatch(word) for words in simple for word in words):
        return False
    return command not in INCOMPLETE and not any(_lacks_arguments(words) for words in simple)


def _lacks_arguments(words: list[str]) -> bool:
    import click
    from parsed_commands import parse

    if words[0] != "specrec":
        return False
    try:
        parse(words[1:])
    except (click.MissingParameter, click.BadOptionUsage):
        return len(words) <= 3  # `specrec convert`, `specrec plugin new`, `specrec run --threads`
    except click.ClickException:
        pass  # a stale word or option is for the test to tell
    return False
