"""What many tests share: a cache folder of their own, and small scenes in memory."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from strangers import Site

from specrec.registry.trial import KNOWN
from specrec.scenes import Scene, TrainingScene
from specrec.testing.small_scenes import smooth_scene

os.environ["MPLBACKEND"] = "agg"


def pytest_configure(config: pytest.Config) -> None:
    """Give each of the processes that share the tests (-n) one core: what a second thread waits for, they compute."""
    if config.getoption("numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # before they are started


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's cache, weights and data folders out of the tests, and the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SPECREC_")]:
            if name not in ("SPECREC_CAVE", "SPECREC_ICVL"):
                patch.delenv(name)
        patch.setenv("SPECREC_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def make_scene() -> Callable[..., Scene]:
    """`smooth_scene`, for tests that want their own sizes."""
    return smooth_scene


@pytest.fixture
def training_scenes() -> list[TrainingScene]:
    """Three scenes of 40 x 48."""
    return [TrainingScene(smooth_scene(f"scene{index}", 40, 48, index)) for index in range(3)]


@pytest.fixture
def cave_folder() -> Path:
    """The real CAVE scenes, where there are some."""
    folder = os.environ.get("SPECREC_CAVE")
    if not folder:
        pytest.skip("SPECREC_CAVE names no folder of CAVE scenes")
    return Path(folder).resolve()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty site. What is imported from it is forgotten at the end."""
    made = Site(tmp_path / "site")
    monkeypatch.syspath_prepend(made.folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions of a file may be written in one second
    monkeypatch.setenv("SPECREC_CACHE", str(tmp_path / "cache"))
    yield made
    for name in [name for name in sys.modules if name.startswith("hostile_")]:
        del sys.modules[name]


@pytest.fixture
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugins are loaded without a process of their own to try them, as in a worker: for tests of what comes after."""
    monkeypatch.setenv(KNOWN, json.dumps({}))
