import threading
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from specrec.errors import DataError, UsageError
from specrec.per_pixel import PerPixelReconstructor, all_valid_pixels, sample_pixels
from specrec.scenes import Scene, TrainingScene
from specrec.spectra import WAVELENGTHS


class Weighted(PerPixelReconstructor):
    """A spectrum of 5 bands whose values are sums and products of the colour; it counts the rows it is asked for."""

    name = "weighted"
    summary = "for tests"
    block: ClassVar[int] = 64

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.calls: list[int] = []

    def fit(self, scenes, context):
        self.factor_ = np.float32(2.0)
        return self

    def reconstruct_colours(self, colours):
        self.calls.append(len(colours))
        red, green, blue = colours.T
        return np.stack([red, green * self.factor_, blue, red * green, np.sqrt(blue)], axis=1)

    def state(self):
        return {"factor": np.array([self.factor_])}, {}

    @classmethod
    def from_state(cls, settings, arrays, config):
        raise NotImplementedError


class WholeBlocks(Weighted):
    name = "whole"
    whole_blocks = True


class Linear(Weighted):
    name = "linear-input"

    @property
    def input(self):
        return "linear"


class Product(Weighted):
    """A BLAS product; it notes the threads of the libraries, and those it is called from."""

    name = "product"
    block = 128
    whole_blocks = True

    def fit(self, scenes, context):
        self.matrix_ = np.random.default_rng(0).random((3, 31))
        self.seen = set()
        return self

    def reconstruct_colours(self, colours):
        self.seen.add((threading.get_ident(), *(library["num_threads"] for library in threadpool_info())))
        return (colours.astype(np.float64) @ self.matrix_).astype(np.float32)


def one_by_one(method, image):
    rows = [method.reconstruct_colours(pixel[np.newaxis])[0] for pixel in image.reshape(-1, 3)]
    return np.array(rows).reshape(*image.shape[:2], -1)


def image_of_levels(rng, height, width, levels=256):
    return rng.integers(0, levels, (height, width, 3)).astype(np.float32) / np.float32(255)


def scene_of(cube, mask=None, name="scene"):
    read_mask = None if mask is None else lambda: mask
    return TrainingScene(
        Scene(
            name=name,
            shape=cube.shape,
            wavelengths=WAVELENGTHS,
            quantity="radiance",
            provenance="a test",
            read=lambda window: cube if window is None else cube[window.slices],
            read_mask=read_mask,
        )
    )


@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 30), st.sampled_from([2, 6, 256]))
@settings(max_examples=40, deadline=None)
def test_an_image_is_coded_as_if_pixel_by_pixel(seed, height, width, levels):
    image = image_of_levels(np.random.default_rng(seed), height, width, levels)
    for kind in (Weighted, WholeBlocks, Linear):
        method = kind().fit([], None)
        np.testing.assert_array_equal(method.reconstruct(image), one_by_one(method, image))


def test_every_8_bit_level_is_recognised_and_comes_back_to_the_bit():
    level = np.arange(256, dtype=np.float32) / np.float32(255)
    image = np.repeat(np.stack([level, level[::-1], level], axis=1)[np.newaxis], 2, axis=0)
    method = Weighted().fit([], None)
    estimate = method.reconstruct(image)
    assert sum(method.calls) == 256
    np.testing.assert_array_equal(estimate[1], one_by_one(method, image[:1])[0])


def test_repeated_colours_are_coded_once():
    image = image_of_levels(np.random.default_rng(0), 40, 50, levels=3)
    method = Weighted().fit([], None)
    method.reconstruct(image)
    assert sum(method.calls) == 27


@pytest.mark.parametrize("kind", ["rarely repeated", "not 8-bit", "linear"])
def test_other_images_are_coded_pixel_by_pixel(kind):
    rng = np.random.default_rng(1)
    image = image_of_levels(rng, 20, 20, levels=256 if kind == "rarely repeated" else 2)
    if kind == "not 8-bit":
        image[7, 3, 1] = 0.3
    method = (Linear if kind == "linear" else Weighted)().fit([], None)
    method.reconstruct(image)
    assert sum(method.calls) == 400
    assert max(method.calls) == 64


def test_whole_blocks_are_whole():
    image = np.random.default_rng(2).random((9, 15, 3), dtype=np.float32)
    method = WholeBlocks().fit([], None)
    method.reconstruct(image)
    assert method.calls == [64, 64, 64]


@pytest.mark.parametrize("kind", [Weighted, WholeBlocks, Linear, Product])
@pytest.mark.parametrize("levels", [4, 256])
def test_any_number_of_threads_gives_the_same_bits(kind, levels):
    image = image_of_levels(np.random.default_rng(5), 60, 40, levels)
    method = kind().fit([], None)
    alone = method.reconstruct(image)
    for threads in (2, 3, 16):
        method.threads = threads
        np.testing.assert_array_equal(method.reconstruct(image), alone)


def test_threads_are_as_many_as_asked_for_with_kernels_of_one_thread():
    image = np.random.default_rng(6).random((100, 90, 3), dtype=np.float32)
    method = Product().fit([], None)
    method.reconstruct(image)
    assert {caller for caller, *_ in method.seen} == {threading.get_ident()}
    method.threads = 3
    method.reconstruct(image)
    assert 2 <= len({caller for caller, *_ in method.seen}) <= 4
    assert {count for _, *counts in method.seen for count in counts} == {1}


def test_another_device_than_the_processor_gets_one_block_at_a_time():
    method = Product().fit([], None)
    method.threads, method.device = 2, "cuda:0"
    method.reconstruct(np.random.default_rng(7).random((50, 40, 3), dtype=np.float32))
    assert {caller for caller, *_ in method.seen} == {threading.get_ident()}


@pytest.mark.parametrize(
    "layout", [np.asfortranarray, lambda image: image[::-1, ::-1], lambda image: image.astype(float)]
)
def test_the_memory_layout_of_an_image_changes_nothing(layout):
    image = image_of_levels(np.random.default_rng(3), 12, 8)
    method = Weighted().fit([], None)
    other = layout(image)
    expected = one_by_one(method, np.ascontiguousarray(other, dtype=np.float32))
    np.testing.assert_array_equal(method.reconstruct(other), expected)


def test_the_image_is_not_changed_and_the_cube_is_float32():
    image = image_of_levels(np.random.default_rng(4), 6, 5, levels=2)
    image.setflags(write=False)
    estimate = Weighted().fit([], None).reconstruct(image)
    assert estimate.dtype == np.float32
    assert estimate.shape == (6, 5, 5)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((4, 3), np.float32), r"\(4, 3\)"),
        (np.zeros((4, 4, 4), np.float32), r"\(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.float32), r"\(0, 4, 3\)"),
        (np.zeros((4, 4, 3), np.uint8), "uint8"),
        (np.full((4, 4, 3), np.nan, np.float32), "NaN"),
    ],
)
def test_what_is_no_image_is_a_value_error(image, words):
    with pytest.raises(ValueError, match=words):
        Weighted().fit([], None).reconstruct(image)


def test_a_method_that_is_not_fitted_says_so():
    with pytest.raises(UsageError, match="weighted is not fitted; call fit or load weights first"):
        Weighted().reconstruct(np.zeros((2, 2, 3), np.float32))


def test_it_sees_one_pixel_and_tiles_anywhere():
    method = Weighted()
    assert (method.receptive_field, method.halo, method.grid) == (1, 0, 1)


def test_all_valid_pixels_are_the_masked_scene_in_order():
    rng = np.random.default_rng(5)
    cube = rng.random((13, 7, 31), dtype=np.float32)
    mask = rng.random((13, 7)) < 0.6
    mask[4:8] = False
    scene = scene_of(cube, mask)
    blocks = list(all_valid_pixels(scene, block=20))
    assert len(blocks) > 3
    np.testing.assert_array_equal(np.concatenate([spectra for _, spectra in blocks]), scene.cube()[mask])
    np.testing.assert_array_equal(np.concatenate([rgb for rgb, _ in blocks]), scene.rgb()[mask])


def test_sampled_pixels_are_valid_distinct_and_belong_together():
    rng = np.random.default_rng(6)
    cubes = [rng.random((9, 11, 31), dtype=np.float32) for _ in range(2)]
    masks = [rng.random((9, 11)) < 0.5 for _ in range(2)]
    scenes = [scene_of(cube, mask) for cube, mask in zip(cubes, masks, strict=True)]
    rgb, spectra = sample_pixels(scenes, 20, np.random.default_rng(7))
    assert rgb.shape == (40, 3)
    assert spectra.dtype == rgb.dtype == np.float32
    for scene, mask, part in zip(scenes, masks, (slice(0, 20), slice(20, 40)), strict=True):
        known = {row.tobytes(): colour for row, colour in zip(scene.cube()[mask], scene.rgb()[mask], strict=True)}
        assert len({row.tobytes() for row in spectra[part]}) == 20
        for row, colour in zip(spectra[part], rgb[part], strict=True):
            np.testing.assert_array_equal(known[row.tobytes()], colour)


def test_the_same_seed_draws_the_same_pixels_and_another_seed_others():
    scene = scene_of(np.random.default_rng(8).random((20, 20, 31), dtype=np.float32))
    first, again, other = (sample_pixels([scene], 50, np.random.default_rng(seed))[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_small_scene_gives_all_it_has():
    scene = scene_of(np.random.default_rng(9).random((3, 4, 31), dtype=np.float32))
    assert len(sample_pixels([scene], 1000, np.random.default_rng(0))[0]) == 12


def test_a_scene_without_valid_pixels_is_named():
    scene = scene_of(np.ones((3, 4, 31), dtype=np.float32), np.zeros((3, 4), dtype=bool), name="dark")
    with pytest.raises(DataError, match="dark: no pixel"):
        sample_pixels([scene], 10, np.random.default_rng(0))
    with pytest.raises(DataError, match="no scenes"):
        sample_pixels([], 10, np.random.default_rng(0))
