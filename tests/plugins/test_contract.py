"""What every method promises, tried on each that comes with specrec."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from specrec.errors import SpecrecError
from specrec.interfaces import FitContext, Reconstructor
from specrec.registry import registry
from specrec.scenes import Scene, TrainingScene
from specrec.weights import make_card, save

SMALL = {
    "gan": "gan[branches=3,width=4,discriminator_width=2,crop=32,steps=4,batch=2]",
    "arad": "arad[atoms=40,training_sparsity=5]",
    "arad linear": "arad[atoms=40,training_sparsity=5,input=linear]",
    "arad random": "arad[atoms=random-40]",
    "arad ksvd": "arad[atoms=40,training_sparsity=5,learning=ksvd,iterations=2]",
    "pixel": "pixel[steps=4,batch=64]",
    "mean": "mean",
    "linear": "linear",
    "aplus": "aplus[anchors=16,neighbours=200,pixels_per_scene=400]",
    "nearest": "nearest[pixels_per_scene=200]",
    "filterbank": "filterbank[scales=2,atoms=32,classes=16,pixels_per_scene=300]",
    "kernel": "kernel[colours=60,pixels_per_scene=100]",
    "mallett": "mallett",
    "matrix-r": "matrix-r",
    "rbf": "rbf[centres=10,pixels_per_scene=100]",
    "pca": "pca",
    "polynomial": "polynomial",
    "root-polynomial": "root-polynomial",
}
DRAW_NOTHING = ("mean", "linear", "mallett", "matrix-r", "pca", "polynomial", "root-polynomial")
LEARN_NOTHING = ("mallett",)
FITTED: dict[str, Reconstructor] = {}
pytestmark = pytest.mark.parametrize("spec", SMALL.values(), ids=SMALL)


def views(scenes: list[Scene], method: Reconstructor) -> list[TrainingScene]:
    return [TrainingScene(scene, input=method.input) for scene in scenes]


def fit(spec: str, scenes: list[Scene], seed: int = 0) -> Reconstructor:
    method = registry().build(spec)
    return method.fit(views(scenes, method), FitContext(seed=seed))


@pytest.fixture
def scenes(make_scene: Callable[..., Scene]) -> list[Scene]:
    return [make_scene(f"s{index}", 40, 48, index) for index in range(3)]


@pytest.fixture
def fitted(spec: str, scenes: list[Scene]) -> Reconstructor:
    """The method fitted to `scenes`, once for all tests that only look at it."""
    if spec not in FITTED:
        FITTED[spec] = fit(spec, scenes)
    return FITTED[spec]


@pytest.fixture
def others(make_scene: Callable[..., Scene]) -> list[Scene]:
    return [make_scene(f"t{index}", 33, 36, 10 + index) for index in range(3)]


@pytest.fixture
def rgb() -> np.ndarray:
    return (np.random.default_rng(1).integers(0, 256, (11, 13, 3)) / 255).astype(np.float32)


def test_a_method_tells_its_influence_over_the_image_or_that_it_cannot(
    spec: str, fitted: Reconstructor, rgb: np.ndarray
) -> None:
    found = fitted.influence(rgb, 4, 7)
    if found is not None:
        assert found.shape == rgb.shape[:2]
        assert found.dtype == np.float32
        assert (found >= 0).all()
        far = np.maximum(*np.abs(np.indices(found.shape) - np.reshape([4, 7], (2, 1, 1))))
        assert not found[far >= (fitted.receptive_field or far.size)].any()


def test_fit_returns_self_and_reports_progress(spec: str, scenes: list[Scene]) -> None:
    told: list[float] = []
    method = registry().build(spec)
    context = FitContext(progress=lambda done, _words: told.append(done))
    assert method.fit(views(scenes, method), context) is method
    assert told
    assert told == sorted(told)
    assert all(0 <= done <= 1 for done in told)


def test_a_refit_forgets(spec: str, scenes: list[Scene], others: list[Scene], rgb: np.ndarray) -> None:
    once = fit(spec, others)
    twice = fit(spec, scenes)
    twice.fit(views(others, twice), FitContext())
    np.testing.assert_array_equal(twice.reconstruct(rgb), once.reconstruct(rgb))
    learns = not np.array_equal(fit(spec, scenes).reconstruct(rgb), once.reconstruct(rgb))
    assert learns == (spec not in LEARN_NOTHING)


def test_the_same_seed_gives_the_same_cube_and_another_seed_another(
    spec: str, scenes: list[Scene], rgb: np.ndarray
) -> None:
    np.testing.assert_array_equal(fit(spec, scenes, 5).reconstruct(rgb), fit(spec, scenes, 5).reconstruct(rgb))
    if spec not in DRAW_NOTHING:
        assert not np.array_equal(fit(spec, scenes, 5).reconstruct(rgb), fit(spec, scenes, 6).reconstruct(rgb))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (6, 1), (13, 17)])
def test_any_size_gives_a_float32_cube_with_bands_last(spec: str, fitted: Reconstructor, size: tuple[int, int]) -> None:
    cube = fitted.reconstruct(np.full((*size, 3), 0.4, np.float32))
    assert cube.shape == (*size, 31)
    assert cube.dtype == np.float32
    assert np.isfinite(cube).all()


def test_the_input_is_not_changed_and_may_be_read_only(spec: str, fitted: Reconstructor, rgb: np.ndarray) -> None:
    before = rgb.copy()
    rgb.setflags(write=False)
    fitted.reconstruct(rgb)
    np.testing.assert_array_equal(rgb, before)


def test_the_memory_layout_of_the_image_does_not_matter(spec: str, fitted: Reconstructor, rgb: np.ndarray) -> None:
    np.testing.assert_array_equal(fitted.reconstruct(np.asfortranarray(rgb)), fitted.reconstruct(rgb))


def test_before_fit_there_is_one_clear_sentence(spec: str, rgb: np.ndarray) -> None:
    method = registry().build(spec)
    with pytest.raises(SpecrecError, match="is not fitted"):
        method.reconstruct(rgb)


def test_the_declared_receptive_field_holds(spec: str, fitted: Reconstructor, rgb: np.ndarray) -> None:
    reach = fitted.receptive_field
    assert reach is not None
    changed = rgb.copy()
    changed[5, 6] = 1 - changed[5, 6]
    moved = np.argwhere((fitted.reconstruct(rgb) != fitted.reconstruct(changed)).any(-1))
    assert len(moved)
    assert (np.abs(moved - [5, 6]).max(0) <= reach - 1).all()
    if reach == 1:
        np.testing.assert_array_equal(moved, [[5, 6]])


def test_tiles_on_the_grid_with_a_halo_equal_the_whole(spec: str, fitted: Reconstructor) -> None:
    rgb = (np.random.default_rng(2).integers(0, 256, (48, 40, 3)) / 255).astype(np.float32)
    whole = fitted.reconstruct(rgb)
    top = 2 * max(fitted.grid, 8)
    start = top - fitted.halo
    tile = fitted.reconstruct(rgb[start : top + 8 + fitted.halo])
    np.testing.assert_allclose(tile[fitted.halo : fitted.halo + 8], whole[top : top + 8], atol=1e-5)


def test_it_works_in_a_process_of_its_own(spec: str, fitted: Reconstructor, rgb: np.ndarray, tmp_path: Path) -> None:
    save(fitted, tmp_path / "w.safetensors", make_card(fitted, wavelengths=range(400, 701, 10), scenes=["s"], seed=0))
    np.save(tmp_path / "rgb.npy", rgb)
    code = (
        "import numpy, specrec; "
        f"cube = specrec.load({fitted.name!r}, 'w.safetensors', 'cpu').reconstruct(numpy.load('rgb.npy')); "
        "numpy.save('cube.npy', cube)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "cube.npy"), fitted.reconstruct(rgb), atol=1e-5)
