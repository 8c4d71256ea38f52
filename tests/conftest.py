"""What many tests share: a cache folder of their own, and small scenes in memory."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from specrec.scenes import Scene, TrainingScene
from specrec.spectra import WAVELENGTHS

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


def smooth_scene(name: str, height: int, width: int, seed: int) -> Scene:
    """A scene of smooth random spectra and smooth random shading, with a black column at its right end."""
    rng = np.random.default_rng(seed)
    centres, widths = rng.uniform(400, 700, 6), rng.uniform(30, 90, 6)
    basis = np.exp(-(((WAVELENGTHS[:, None] - centres) / widths) ** 2))  # (31, 6)
    rows, columns = np.mgrid[:height, :width] / 8.0
    phase = rng.uniform(0, 6, (6, 3))
    abundance = np.stack([1.1 + np.sin(a * rows + b) * np.cos(a * columns + c) for a, b, c in phase], -1)
    cube = (0.05 + abundance @ basis.T).astype(np.float32)
    mask = np.ones((height, width), dtype=np.bool_)
    if width > 1:
        cube[:, -1], mask[:, -1] = 0.0, False
    return Scene(
        name,
        (height, width, 31),
        WAVELENGTHS,
        "radiance",
        "made for a test",
        lambda window: cube if window is None else cube[window.slices],
        lambda: mask,
    )


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
