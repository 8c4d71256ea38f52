import numpy as np
import pytest

from specrec.interfaces import FitContext
from specrec.scenes import TrainingScene
from specrec_gan.method import Gan

TINY = {"branches": 3, "width": 4, "discriminator_width": 2, "crop": 32, "steps": 2}


@pytest.fixture
def gan(training_scenes: list[TrainingScene]) -> Gan:
    return Gan(**TINY).fit(training_scenes, FitContext())


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 7), (16, 16), (33, 20)])
def test_any_size_gives_a_cube_of_that_size(gan: Gan, size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).random((*size, 3), dtype=np.float32)
    cube = gan.reconstruct(rgb)
    assert cube.shape == (*size, 31)
    assert cube.dtype == np.float32
    assert np.isfinite(cube).all()


def test_an_odd_size_is_padded_by_reflection_and_cropped_back(gan: Gan) -> None:
    rgb = np.random.default_rng(0).random((6, 7, 3), dtype=np.float32)
    padded = np.pad(rgb, ((0, 2), (0, 1), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(gan.reconstruct(rgb), gan.reconstruct(padded)[:6, :7])


def test_dropout_is_off_when_reconstructing(gan: Gan) -> None:
    rgb = np.random.default_rng(0).random((8, 8, 3), dtype=np.float32)
    np.testing.assert_array_equal(gan.reconstruct(rgb), gan.reconstruct(rgb))


def test_dropout_at_test_changes_the_estimate_and_repeats_with_the_seed(training_scenes: list[TrainingScene]) -> None:
    rgb = np.random.default_rng(0).random((8, 8, 3), dtype=np.float32)
    plain = Gan(**TINY).fit(training_scenes, FitContext()).reconstruct(rgb)
    noisy = Gan(**TINY, dropout_at_test=True).fit(training_scenes, FitContext())
    first = noisy.reconstruct(rgb)
    assert not np.array_equal(first, plain)
    np.testing.assert_array_equal(first, noisy.reconstruct(rgb))


def test_weights_of_another_net_are_refused(gan: Gan) -> None:
    arrays, config = gan.state()
    with pytest.raises(ValueError, match=r"Error\(s\) in loading|size mismatch|Missing key"):
        Gan.from_state({**gan.settings, "branches": 4}, arrays, config)
