"""What these tests share: small photos, and weights that are fitted in no time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from specrec.interfaces import FitContext
from specrec.registry import registry
from specrec.scenes import TrainingScene
from specrec.weights import make_card, save


@pytest.fixture
def linear_weights(tmp_path: Path, training_scenes: list[TrainingScene]) -> Path:
    """Weights of `linear` that know no colours, as those of older versions."""
    method = registry().build("linear").fit(training_scenes, FitContext())
    path = tmp_path / "weights" / "linear.safetensors"
    path.parent.mkdir(exist_ok=True)
    save(method, path, make_card(method, wavelengths=range(400, 701, 10), scenes=["s"], seed=0))
    return path


@pytest.fixture
def write_photo(tmp_path: Path) -> Callable[..., Path]:
    """Write a PNG of random pixels, another for every name."""

    def write(name: str, height: int = 20, width: int = 30) -> Path:
        path = tmp_path / name
        rng = np.random.default_rng(list(name.encode()))
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
        return path

    return write
