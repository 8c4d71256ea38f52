"""What the documentation site adds to MkDocs: formulas, links, docstrings; and that it builds without a warning."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")
pytest.importorskip("latex2mathml")
pytest.importorskip("griffe")

ROOT = Path(__file__).parents[2]
HOOKS = runpy.run_path(str(ROOT / "docs" / "site_hooks.py"))
PROSE = runpy.run_path(str(ROOT / "docs" / "docstring_prose.py"))


def build(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=None)


def test_formulas_become_mathml() -> None:
    page = HOOKS["with_formulas"](
        r'<p>A <span class="arithmatex">\(r_{p} &lt; 1\)</span></p><div class="arithmatex">\[\frac{1}{N}\]</div>'
    )
    assert page.count("<math ") == 2
    assert "arithmatex" not in page
    assert "<msub><mi>r</mi>" in page
    assert 'display="block"' in page
    assert "<mfrac>" in page


@pytest.mark.parametrize("formula", [r"\nosuch{a}", r"\left( a", r"a_{b", "a}", "a_b_c"])
def test_a_formula_that_cannot_be_read_is_an_error_that_shows_it(formula: str) -> None:
    with pytest.raises(ValueError, match="the formula") as caught:
        HOOKS["mathml"](formula)
    assert repr(formula) in str(caught.value)


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("<code>--methods</code>", '<code><span class="whole">--methods</span></code>'),
        ("<code>a -k b</code>", '<code>a <span class="whole">-k</span> b</code>'),
        ("<code>plain</code>", None),
        (f"<code>{'long-' * 8}</code>", None),
        ("<pre><span></span><code>specrec --help</code></pre>", None),
        ("<pre><code>specrec --help</code></pre>", None),
    ],
)
def test_words_with_hyphens_in_code_are_kept_whole(code: str, wanted: str | None) -> None:
    assert HOOKS["with_words_whole"](f"<p>{code}</p>") == f"<p>{wanted or code}</p>"


@pytest.mark.parametrize(
    ("columns", "letters", "is_prose"), [(3, 40, True), (4, 40, True), (3, 20, False), (2, 90, False)]
)
def test_tables_of_sentences_are_marked(columns: int, letters: int, is_prose: bool) -> None:
    row = "".join(f"<td><code>{'x' * letters}</code></td>" for _ in range(columns))
    head = f"<thead>\n<tr>\n{'<th>a</th>' * columns}</tr>\n</thead>"
    table = f"<table>\n{head}<tbody>{f'<tr>{row}</tr>' * 3}</tbody></table>"
    assert HOOKS["with_prose_marked"](f"{table}<table></table>") == (
        (table.replace("<table>", "<table data-prose>") if is_prose else table) + "<table></table>"
    )


def test_a_broken_formula_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(r"A formula: $\nosuch$." + "\n", "utf-8")
    (tmp_path / "mkdocs.yml").write_text(
        f"site_name: small\ntheme: mkdocs\nhooks: [{ROOT / 'docs' / 'site_hooks.py'}]\n"
        "markdown_extensions: [{pymdownx.arithmatex: {generic: true}}]\n",
        "utf-8",
    )
    done = build(tmp_path / "site", "--config-file", str(tmp_path / "mkdocs.yml"))
    assert done.returncode != 0
    assert r"index.md: the formula '\\nosuch' has the unknown command \nosuch" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("page", "link", "moved"),
    [
        ("CHANGELOG.md", "docs/run.md#trust", "run.md#trust"),
        ("benchmarks/results/0.3.0.md", "../../docs/family.md", "../../family.md"),
        ("run.md", "../benchmarks/results/0.3.0.md", "benchmarks/results/0.3.0.md"),
        ("methods/gan.md", "../run.md", "../run.md"),
        ("run.md", "https://example.org/docs/run.md", "https://example.org/docs/run.md"),
        ("run.md", "nowhere.md", "nowhere.md"),
    ],
)
def test_links_of_the_repository_hold_on_the_site(page: str, link: str, moved: str) -> None:
    known = {"run.md", "family.md", "CHANGELOG.md", "benchmarks/results/0.3.0.md", "methods/gan.md"}
    assert HOOKS["relinked"](f"See [it]({link}).", page, known) == f"See [it]({moved})."
    code = f"```\n[it]({link}) doi:10.1000/a\n```\n\nand `[it]({link})`"
    assert HOOKS["relinked"](code, page, known) == code


@pytest.mark.parametrize("doi", ["10.1016/0034-4257(93)90013-N", "10.1007/978-3-319-46478-7_2", "10.1049/el:20080522"])
def test_a_doi_becomes_a_link_once(doi: str) -> None:
    linked = f"[doi:{doi}](https://doi.org/{doi})"
    assert HOOKS["relinked"](f"After doi:{doi}, and more.", "run.md", set()) == f"After {linked}, and more."
    assert HOOKS["relinked"](f"After {linked}.", "run.md", set()) == f"After {linked}."


def test_docstrings_are_read_as_they_are_meant() -> None:
    rewritten = PROSE["rewritten"](
        "Count.\n\nParameters\n----------\nlow, high\n    Bounds,\n    or none.\nunit\n    Such as nm.\n\n"
        "Returns\n-------\nHow many,\nat most 3.\n\nExamples\n--------\n::\n\n    count()"
    )
    assert rewritten == (
        "Count.\n\nParameters\n----------\nlow\n    Bounds,\n    or none.\nhigh\n    Bounds,\n    or none.\nunit\n"
        "    Such as nm.\n\nReturns\n-------\n:\n    How many,\n    at most 3.\n\nExamples\n--------\n\n    count()"
    )
