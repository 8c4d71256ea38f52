"""What many tests share: a cache folder of their own, and small scenes in memory."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from specrec.scenes import Scene, TrainingScene
from specrec.testing.small_scenes import smooth_scene

os.environ["MPLBACKEND"] = "agg"


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
