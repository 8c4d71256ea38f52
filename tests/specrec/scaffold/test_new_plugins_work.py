"""A new plugin of each kind as its author meets it: written, installed, tested and benched, exactly as written.

The names are those of the tutorials, so that this is the code which the pages show.
"""

import re
import tomllib
from pathlib import Path

import pytest
from plugin_environment import ROOT, PluginEnvironment

NAMES = {"method": "my-ridge", "network": "my-net", "metric": "my-error", "scenes": "my-set"}
LISTINGS = {
    "method": ("methods",), "network": ("methods",), "metric": ("metrics",), "scenes": ("data", "list"),
}  # fmt: skip


@pytest.fixture(scope="module")
def plugin_environment(tmp_path_factory: pytest.TempPathFactory) -> PluginEnvironment:
    """One environment for all four."""
    return PluginEnvironment(tmp_path_factory.mktemp("environment") / "venv")


@pytest.fixture(scope="module")
def folder(plugin_environment: PluginEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the four distributions are, each in ``specrec-NAME``, and installed."""
    where = tmp_path_factory.mktemp("new")
    for kind, name in NAMES.items():
        plugin_environment.run("-m", "specrec", "plugin", "new", name, "--kind", kind, folder=where)
    plugin_environment.install(*(where / f"specrec-{name}" for name in NAMES.values()))
    return where


def test_the_specrec_that_is_tried_is_the_installed_one_or_else_the_repositorys(
    plugin_environment: PluginEnvironment, tmp_path: Path
) -> None:
    code = "import specrec, importlib.metadata as m; print(specrec.__file__); print(m.version('specrec'))"
    found, version = plugin_environment.run("-c", code, folder=tmp_path).stdout.split()
    installed = [Path(path) / "specrec" / "__init__.py" for path in plugin_environment.around]
    assert Path(found) == next(path for path in [*installed, ROOT / "specrec" / "__init__.py"] if path.exists())
    assert version == tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


@pytest.mark.parametrize("kind", NAMES)
def test_its_own_tests_pass(kind: str, folder: Path, plugin_environment: PluginEnvironment) -> None:
    done = plugin_environment.run("-m", "pytest", "-q", folder=folder / f"specrec-{NAMES[kind]}")
    assert " passed" in done.stdout


@pytest.mark.parametrize("kind", NAMES)
def test_it_is_listed_and_keeps_the_contract(
    kind: str, folder: Path, plugin_environment: PluginEnvironment, tmp_path: Path
) -> None:
    given: tuple[str, ...] = ()
    listed = plugin_environment.run("-m", "specrec", *LISTINGS[kind], folder=tmp_path).stdout
    assert NAMES[kind] in listed
    assert "broken" not in listed
    if kind == "scenes":
        maker = folder / f"specrec-{NAMES[kind]}" / "tests" / "make_scenes.py"
        plugin_environment.run(maker, tmp_path / "scenes", folder=tmp_path)
        given = ("--data", f"{NAMES[kind]}=scenes")
    done = plugin_environment.run("-m", "specrec", "plugin", "test", f"specrec-{NAMES[kind]}", *given, folder=tmp_path)
    counts = re.search(r"([0-9]+) ok, 0 failed, ([0-9]+) skipped", done.stdout)
    assert counts is not None
    assert int(counts[1]) > 3 * int(counts[2])


def test_the_four_make_one_table(folder: Path, plugin_environment: PluginEnvironment, tmp_path: Path) -> None:
    maker = folder / f"specrec-{NAMES['scenes']}" / "tests" / "make_scenes.py"
    plugin_environment.run(maker, "scenes", folder=tmp_path)
    methods = "my-ridge[ridge=0.01],my-net[width=8,steps=5,batch=2,crop=16],linear"
    words = ("--methods", methods, "--dataset", "my-set", "--data", "scenes", "--metrics", "rmse,my-error")
    done = plugin_environment.run("-m", "specrec", "bench", *words, "--jobs", 0, folder=tmp_path)
    lines = done.stdout.splitlines()
    (head,) = [line for line in lines if line.startswith("method ")]
    assert "my-error" in head
    rows = {line.split()[0]: line.split()[-1] for line in lines if line.split()[1:2] == ["weighted"]}
    assert len(rows) == 3
    assert all(0.0 < float(value.strip("*=")) < 3.0 for value in rows.values())


def test_a_name_is_taken_once_its_plugin_is_installed(
    folder: Path, plugin_environment: PluginEnvironment, tmp_path: Path
) -> None:
    again = plugin_environment.run("-m", "specrec", "plugin", "new", NAMES["method"], folder=tmp_path, ok=False)
    assert again.returncode == 2
    assert "there is a method 'my-ridge' already, of specrec-my-ridge" in again.stderr
