"""What MkDocs does for the documentation site beside its own work; mkdocs.yml names this file.

Formulas, ``$...$`` and ``$$...$$``, become MathML while the site is built, so that the reader's browser needs no script
and no network for them; one that cannot be read stops the build. The changelog and the recorded results, which lie
outside docs/, become pages, and links to and from them keep the form that works in the repository. Tables of sentences
are marked, so that a phone can show the cells of a row below each other, and options in code, so that they are not cut.
"""

import html
import posixpath
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
OUTSIDE = ("CHANGELOG.md", "benchmarks/results/*.md", "benchmarks/results/*.png")
"""What else is shown, relative to the root of the repository; on the site it has the same path."""

PROSE = 90
"""Characters in a row of a table, on average, from which it is one of sentences."""

LONGEST_WHOLE = 34
"""Characters of code that a line of a phone, in a list, has room for."""

INLINE_CODE = re.compile(r"(?<!<pre>)(?<!</span>)<code>([^<]+)</code>")
TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
DOI = re.compile(r"(?<![\[/\w])doi:(10\.\d{4,9}/(?:\([^\s()]*\)|[^\s()\[\],;|])+(?<!\.))")
LINK = re.compile(r"(\]\()([^)\s#:]+)")
CODE = re.compile(r"(^ *(`{3,}|~{3,}).*?^ *\2 *$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and pictures that lie outside docs/."""
    for pattern in OUTSIDE:
        for path in sorted(ROOT.glob(pattern)):
            files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, files: Files, **_: Any) -> str:
    """Turn links that hold in the repository into links that hold on the site, where docs/ lies at the top."""
    return relinked(markdown, page.file.src_uri, set(files.src_uris))


def on_page_content(content: str, *, page: Page, **_: Any) -> str:
    """Turn formulas into MathML, and mark what a phone has to lay out with care."""
    try:
        return with_formulas(with_prose_marked(with_words_whole(content)))
    except ValueError as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from None


def relinked(markdown: str, page: str, known: set[str]) -> str:
    """Rewrite the links of one page, and make links of its DOIs.

    Parameters
    ----------
    markdown
        Its text; code in it is left alone.
    page
        Its path on the site, such as ``run.md`` or ``CHANGELOG.md``.
    known
        The paths of everything on the site. A link that leads to nothing there is left alone.
    """
    outside = any(Path(page).match(pattern) for pattern in OUTSIDE)
    here = posixpath.dirname(page if outside else f"docs/{page}")

    def moved(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(here, match[2])).removeprefix("docs/")
        return match[1] + (posixpath.relpath(target, posixpath.dirname(page)) if target in known else match[2])

    def changed(text: str) -> str:
        return DOI.sub(r"[doi:\1](https://doi.org/\1)", LINK.sub(moved, text))

    parts = CODE.split(markdown)  # text, code, its fence, text, ..
    return "".join(changed(part) if index % 3 == 0 else part for index, part in enumerate(parts) if index % 3 < 2)


def with_words_whole(content: str) -> str:
    """Keep browsers from breaking a line behind a hyphen of a word of code, such as ``--methods``."""

    def whole(match: re.Match[str]) -> str:
        word = match[0]
        return f'<span class="whole">{word}</span>' if "-" in word and len(word) <= LONGEST_WHOLE else word

    return INLINE_CODE.sub(lambda code: f"<code>{re.sub(r'[^ ]+', whole, code[1])}</code>", content)


def with_prose_marked(content: str) -> str:
    """Give every table of three columns or more whose rows are long texts the attribute ``data-prose``."""

    def marked(match: re.Match[str]) -> str:
        _, head, *rows = [*match[0].split("<tr>"), ""]
        letters = len("".join(re.sub(r"<[^>]+>", "", "".join(rows)).split()))
        is_prose = head.count("<th") > 2 and letters > PROSE * (len(rows) - 1)
        return match[0].replace("<table>", "<table data-prose>") if is_prose else match[0]

    return TABLE.sub(marked, content)


def with_formulas(content: str) -> str:
    """Turn every formula of a page, as the extension `arithmatex` leaves it, into MathML.

    Raises
    ------
    ValueError
        If one cannot be read; the message shows it.
    """
    return FORMULA.sub(lambda match: mathml(html.unescape(match[2]), block=match[1] == "div"), content)


def mathml(formula: str, *, block: bool = False) -> str:
    """Turn one LaTeX formula into MathML, or raise ValueError."""
    try:
        found = convert(formula.strip(), display="block" if block else "inline")
    except Exception as error:  # the converter raises anything on a formula that is none
        raise ValueError(f"the formula {formula.strip()!r} cannot be read ({type(error).__name__})") from error
    unknown = re.search(r"\\[A-Za-z]+", found)
    if unknown:
        raise ValueError(f"the formula {formula.strip()!r} has the unknown command {unknown[0]}")
    if formula.count("{") != formula.count("}"):
        raise ValueError(f"the formula {formula.strip()!r} has a brace without its other half")
    # a bar by itself is as high as a letter, not as the whole formula; those of left and right stretch
    return re.sub(r"<mo>(&#x02016;|&#x0007C;)</mo>", r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>', found)
