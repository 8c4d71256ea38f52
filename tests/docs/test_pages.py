"""The pages say what the code does: help texts, README's commands, the example plugin, every hook and metric."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pluggy
import pytest

from specrec import hookspecs
from specrec.interfaces import FitContext, Reconstructor
from specrec.registry import Registry, registry
from specrec.scenes import TrainingScene, Window

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_command_line_page_is_the_commands_own_help() -> None:
    code = "import sys; sys.path.insert(0, 'docs'); import make_cli_page; print(make_cli_page.page(), end='')"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == made, "run python docs/make_cli_page.py"


def test_the_readme_shows_the_commands() -> None:
    for command in (
        "python -m pip install . && specrec bench --methods gan,arad,pixel",
        'python -m pip install ".[test]" && python -m pytest',
        "specrec bench --methods gan,arad",
        "specrec run gan image.png",
        'specrec.load("gan").reconstruct(rgb)',
        "specrec.render(",
        "specrec.bench(",
    ):
        assert command in README, command


def test_the_python_of_the_readme_and_of_the_start_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.full((6, 8, 3), 90, np.uint8)).save("image.png")
    for page in (README, (ROOT / "docs" / "index.md").read_text("utf-8")):
        (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
        found: dict[str, Any] = {}
        exec("\n".join(line for line in code.splitlines() if "specrec.bench(" not in line), found)  # that takes minutes
        assert found["cube"].shape == (6, 8, 31)
        assert found["image"].shape == (6, 8, 3)


def test_every_hook_is_described() -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    hooks = {name: hook for name, hook in vars(manager.hook).items() if not name.startswith("_")}
    assert len(hooks) >= 3
    overview, reference = (ROOT / "docs" / "plugins.md", ROOT / "docs" / "hooks.md")
    described = re.findall(r"^::: specrec\.hookspecs\.(\w+)$", reference.read_text("utf-8"), flags=re.MULTILINE)
    assert sorted(described) == sorted(hooks)
    for name, hook in hooks.items():
        assert f"`{name}`" in overview.read_text("utf-8")
        assert hook.spec.function.__doc__


def test_the_examples_of_the_hooks_are_taken_in(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "hooks.md").read_text("utf-8")
    found = Registry()
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)):
        module = ModuleType(f"example{number}")
        module.Mine, module.Other = (type(name, (Grey,), {"name": name}) for name in ("mine", "other"))
        exec(code, module.__dict__)
        found.add(module, module.__name__)
    assert found.broken == []
    assert sorted(found.reconstructors) == ["mine", "other"]
    cube = np.random.default_rng(0).random((4, 5, 31), dtype=np.float32)
    np.save(tmp_path / "one.npy", cube)
    scene = found.scene_source("arrays")(tmp_path).open("one")
    np.testing.assert_array_equal(scene.cube(Window(1, 2, 3, 2)), cube[1:4, 2:4])
    score = found.metric("largest")(cube + np.float32(0.25), cube, scene.mask, scene.wavelengths)
    assert score.value == pytest.approx(0.25)


class Grey(Reconstructor):
    """A method that only stands in a list."""

    summary = "grey"
    fit = reconstruct = state = from_state = None


def test_the_list_of_methods_says_what_each_sees_and_whether_it_has_weights() -> None:
    page = (ROOT / "docs" / "methods" / "index.md").read_text("utf-8")
    rows = {
        row[0]: row
        for row in re.findall(r"^\| \[`([\w-]+)`\]\(.*?\) \| .* \| (\d+) \| (yes|no) \|", page, re.MULTILINE)
    }
    ours = {name: offer.value for name, offer in registry().reconstructors.items() if offer.distribution == "specrec"}
    assert sorted(rows) == sorted(ours)
    for name, method in ours.items():
        weights = "yes" if list((ROOT / "plugins").glob(f"*/weights/{name}.safetensors")) else "no"
        assert rows[name][1:] == (str(method().receptive_field), weights)


def test_the_example_plugin_of_the_page_works(training_scenes: list[TrainingScene]) -> None:
    page = (ROOT / "docs" / "plugins.md").read_text("utf-8")
    blocks = re.findall(r"(?:^    .*\n|^\n)+", page, flags=re.MULTILINE)
    (code,) = [block for block in blocks if "class Grey" in block]
    module = ModuleType("specrec_grey")
    exec(re.sub(r"^    ", "", code, flags=re.MULTILINE), module.__dict__)
    found = Registry()
    found.add(module, "specrec-grey")
    assert found.broken == []
    method = found.build("grey").fit(training_scenes, FitContext())
    cube = method.reconstruct(np.full((2, 3, 3), 0.5, np.float32))
    assert cube.shape == (2, 3, 31)
    again = found.reconstructor("grey").from_state(method.settings, *method.state())
    np.testing.assert_array_equal(again.reconstruct(np.full((2, 3, 3), 0.5, np.float32)), cube)


def test_every_metric_and_method_has_its_place_in_the_pages() -> None:
    metrics = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    assert [name for name in registry().metrics if f"`{name}`" not in metrics] == []
    missing = [name for name in registry().reconstructors if not (ROOT / "docs" / "methods" / f"{name}.md").exists()]
    assert missing == []


def test_every_dependency_has_its_licence_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    page = (ROOT / "docs" / "licences.md").read_text("utf-8")
    for requirement in project["dependencies"]:
        name = re.split(r"[<>=;]", requirement)[0].strip()
        assert f"| {name} |" in page


def test_torch_is_required_as_a_range_that_admits_2_13_and_nothing_newer() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "torch>=2.6,<2.14" in project["dependencies"]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda page: page.name)
def test_the_files_that_a_decision_names_are_there(page: Path) -> None:
    for path in re.findall(r"`((?:specrec|plugins|tests|docs|benchmarks)/[\w./-]+)`", page.read_text("utf-8")):
        assert (ROOT / path).exists(), path
