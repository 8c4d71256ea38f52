"""The tutorials show the files that `specrec plugin new` writes, which the tests of the scaffold install and run."""

import re
import runpy
from pathlib import Path

import pytest

from specrec.testing.methods import OF_EVERY_TRIAL, OF_THE_CLASS

DOCS = Path(__file__).parents[2] / "docs"
MADE = runpy.run_path(str(DOCS / "make_tutorial_code.py"))
PAGES, renewed, shown = MADE["PAGES"], MADE["renewed"], MADE["shown"]


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_tutorial_is_what_is_written(page: str) -> None:
    name, kind = PAGES[page]
    text = (DOCS / page).read_text("utf-8")
    assert renewed(text, name, kind) == text, "run python docs/make_tutorial_code.py"
    module = f"specrec_{name.replace('-', '_')}"
    assert {f"{module}/__init__.py", f"{module}/{kind}.py"} <= set(shown(text))
    assert f"specrec plugin new {name}" in text


def test_the_names_are_those_that_are_installed_by_a_test() -> None:
    tried = (DOCS.parent / "tests" / "specrec" / "scaffold" / "test_new_plugins_work.py").read_text("utf-8")
    for name, kind in PAGES.values():
        assert f'"{kind}": "{name}"' in tried


@pytest.mark.parametrize("place", ["specrec/scaffold/templates", "docs/examples"])
def test_what_authors_begin_from_uses_nothing_that_is_not_public(place: str) -> None:
    public = {line.split(":")[0] for line in (DOCS / "interface.txt").read_text("utf-8").splitlines()}
    files = [path for path in (DOCS.parent / place).rglob("*.py*") if path.suffix in (".py", ".txt")]
    assert len(files) > 4
    for path in files:
        imported = re.findall(r"^ *from (specrec[\w.]*) import (.+)$", path.read_text("utf-8"), re.MULTILINE)
        for module, names in imported:
            if module.split(".")[0] == "specrec":
                assert {f"{module}.{name.strip()}" for name in names.split(",")} <= public, path


@pytest.mark.parametrize(("page", "trials"), [("write-a-method", 2), ("write-a-network", 1)])
def test_a_page_counts_the_promises_as_the_suite_does(page: str, trials: int) -> None:
    (told,) = re.findall(r"(\d+) ok, 0 failed, (\d+) skipped", (DOCS / f"{page}.md").read_text("utf-8"))
    assert sum(map(int, told)) == len(OF_THE_CLASS) + trials * len(OF_EVERY_TRIAL)
