"""The influence of the surroundings that `gan` tells, against brute force."""

import copy

import numpy as np
import pytest
import torch

from specrec.errors import SpecrecError
from specrec_gan.method import Gan


def tiny(branches: int) -> Gan:
    method = Gan(branches=branches, width=3, crop=32)
    torch.manual_seed(branches)
    method.generator_ = method._network(5).eval()
    return method


def by_finite_differences(method: Gan, rgb: np.ndarray, row: int, column: int, step: float = 1e-6) -> np.ndarray:
    """Move every channel of every pixel a little, pad as `reconstruct` does, and see what changes at one place."""
    net = copy.deepcopy(method.generator_).double()
    height, width = rgb.shape[:2]
    padding = ((0, -height % method.grid), (0, -width % method.grid), (0, 0))

    def spectrum(image: np.ndarray) -> np.ndarray:
        padded = np.pad(image, padding, mode="reflect")
        with torch.no_grad():
            estimate = net(torch.from_numpy(2.0 * padded - 1.0).permute(2, 0, 1)[None])
        return ((estimate[0, :, row, column] + 1.0) / 2.0).numpy()

    squares = np.zeros((height, width))
    for place in np.ndindex(rgb.shape):
        up, down = rgb.astype(np.float64), rgb.astype(np.float64)
        up[place] += step
        down[place] -= step
        squares[place[:2]] += (((spectrum(up) - spectrum(down)) / (2 * step)) ** 2).sum()
    return np.sqrt(squares)


@pytest.mark.parametrize(
    ("branches", "size", "place"), [(1, (3, 4), (1, 2)), (2, (5, 6), (2, 3)), (3, (7, 10), (5, 8))]
)
def test_the_influence_is_what_finite_differences_say(
    branches: int, size: tuple[int, int], place: tuple[int, int]
) -> None:
    method = tiny(branches)
    rgb = np.random.default_rng(branches).random((*size, 3), dtype=np.float32)
    found = method.influence(rgb, *place)
    assert found.shape == size
    assert found.dtype == np.float32
    assert found[place] > 0
    np.testing.assert_allclose(found, by_finite_differences(method, rgb, *place), rtol=1e-3, atol=1e-6)


def test_the_influence_leaves_the_network_as_it_was() -> None:
    method = tiny(3)
    rgb = np.random.default_rng(0).random((8, 8, 3), dtype=np.float32)
    before = method.reconstruct(rgb)
    method.influence(rgb, 3, 3)
    np.testing.assert_array_equal(method.reconstruct(rgb), before)
    assert all(value.grad is None for value in method.generator_.parameters())


def test_a_network_that_is_not_fitted_has_no_influence() -> None:
    with pytest.raises(SpecrecError, match="gan is not fitted"):
        Gan(branches=2).influence(np.zeros((2, 2, 3), np.float32), 0, 0)
