"""A plugin's folder becomes a distribution of its own with one new pyproject.toml, and nothing about it changes."""

import filecmp
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import taken_out

MISSING = [module for module in ("hatchling", "pip") if find_spec(module) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} is not installed")

INSTALL = (
    *("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-compile"),
    *("--no-build-isolation", "--ignore-installed"),  # what surrounds the environment is never touched
)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return taken_out.lay_out(tmp_path_factory.mktemp("trees"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, trees: tuple[Path, Path]) -> Path:
    """The Python of an environment with specrec without the plugin, and the libraries that this Python has."""
    folder = tmp_path_factory.mktemp("environment")
    python = taken_out.new_environment(folder, with_pip=False)
    where = ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = taken_out.call(python, where, folder, taken_out.surroundings())
    libraries = [place for place in sys.path if Path(place).name in ("site-packages", "dist-packages")]
    (Path(own.strip()) / "libraries.pth").write_text("\n".join(libraries), "utf-8")  # they come after its own
    taken_out.call(python, [*INSTALL, str(trees[0])], folder, taken_out.surroundings())
    return python


def test_a_plugin_taken_out_gives_the_same_numbers(environment: Path, trees: tuple[Path, Path], tmp_path: Path) -> None:
    variables = taken_out.surroundings(SPECREC_CACHE=str(tmp_path / "cache"))
    home = environment.parents[1]
    before = taken_out.offered(environment, tmp_path, variables)
    assert Path(before["files"][0]).is_relative_to(home)
    assert "pixel" not in before["methods"]
    assert before["broken"] == []
    with pytest.raises(RuntimeError, match="ended with 2:\nspecrec: error: unknown method 'pixel'"):
        taken_out.call(environment, ["-m", "specrec", "run", "pixel", "photo.png"], tmp_path, variables)

    taken_out.call(environment, [*INSTALL, str(trees[1])], tmp_path, variables)
    after = taken_out.offered(environment, tmp_path, variables)
    assert all(Path(file).is_relative_to(home) for file in after["files"])
    assert after["methods"] == before["methods"] | {"pixel": [taken_out.DISTRIBUTION, taken_out.VERSION]}
    assert after["broken"] == []
    listing = taken_out.call(environment, ["-m", "specrec", "methods"], tmp_path, variables)
    assert f"[{taken_out.DISTRIBUTION} {taken_out.VERSION}]" in listing

    tree = os.pathsep.join(str(taken_out.ROOT / part) for part in (".", "plugins"))
    together = taken_out.numbers(sys.executable, tmp_path / "together", variables | {"PYTHONPATH": tree})
    apart = taken_out.numbers(environment, tmp_path / "apart", variables)
    assert apart[0] == together[0]
    assert sorted(apart[0]) == [f"{name} fold {k}" for name in ("linear", "pixel[steps=20,batch=64]") for k in (0, 1)]
    np.testing.assert_array_equal(apart[1], together[1])
    assert apart[1].shape == (40, 48, 31)


def test_taking_out_changes_no_file_of_the_plugin(trees: tuple[Path, Path]) -> None:
    here, there = taken_out.ROOT / "plugins" / taken_out.PACKAGE, trees[1] / taken_out.PACKAGE
    names = {path.relative_to(here).as_posix() for path in here.rglob("*") if path.suffix not in ("", ".pyc")}
    assert names == {path.relative_to(there).as_posix() for path in there.rglob("*") if path.suffix}
    assert filecmp.cmpfiles(here, there, sorted(names), shallow=False)[0] == sorted(names)
    assert sorted(path.name for path in trees[1].iterdir()) == ["pyproject.toml", taken_out.PACKAGE]
