"""The plugins that newcomers copy from the pages keep the contract that the pages ask for."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from specrec.testing import Check, NotApplicable, NotConforming
from specrec.testing.methods import method_checks
from specrec.testing.metrics import metric_checks
from specrec.testing.scenes import scene_checks

DOCS = Path(__file__).parents[2] / "docs"


def module_of(page: str, word: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the one piece of code on a page that has the word, as a module that other processes find too."""
    text = (DOCS / page).read_text("utf-8")
    indented = [re.sub("^    ", "", code, flags=re.MULTILINE) for code in re.findall(r"(?:^    .*\n|^\n)+", text, re.M)]
    fenced = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (code,) = [code for code in indented + fenced if word in code and "hookimpl" in code]
    name = f"page_{word.split()[-1].lower()}"
    (folder / f"{name}.py").write_text(code, "utf-8")
    monkeypatch.syspath_prepend(folder)
    return importlib.import_module(name)


def broken(checks: list[Check]) -> list[str]:
    found = []
    tried = 0
    for check in checks:
        try:
            check()
            tried += 1
        except NotApplicable:
            pass
        except NotConforming as error:
            found.append(f"{check}: {error}")
    assert tried > len(checks) / 2
    return found


def test_the_smallest_method_keeps_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("plugins.md", "class Grey", tmp_path, monkeypatch)
    assert broken(method_checks(module.Grey)) == []


def test_the_metric_of_the_hooks_keeps_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("hooks.md", "def largest_error", tmp_path, monkeypatch)
    assert broken(metric_checks(module.LARGEST)) == []


def test_the_data_set_of_the_hooks_keeps_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("hooks.md", "class Arrays", tmp_path, monkeypatch)
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    for number in range(3):
        np.save(scenes / f"scene{number}.npy", np.random.default_rng(number).random((24, 32, 31), dtype=np.float32))
    assert broken(scene_checks(module.Arrays, scenes)) == []
