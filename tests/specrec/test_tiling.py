"""Tiles give the numbers of the whole image, separate tiles give their own, and memory decides which are used."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from specrec.errors import SpecrecError, UsageError
from specrec.interfaces import Reconstructor
from specrec.scenes import Window
from specrec.tiling import SEAM, SeamCost, inference, near_seams, parse_tiles, plan, reconstruct, stream
from specrec_classical.linear import Linear
from specrec_gan.generator import Generator
from specrec_gan.method import Gan

BANDS = 3


def narrow_gan(branches: int, **given: Any) -> Gan:
    """A net with random weights, each level of which matters."""
    with torch.random.fork_rng():
        torch.manual_seed(branches)
        generator = Generator(branches, 4, BANDS, batch_norm=bool(given.get("batch_norm", False)))
    arrays = {name: value.numpy() for name, value in generator.state_dict().items()}
    return Gan.from_state({"branches": branches, "width": 4, **given}, arrays, {"bands": BANDS, "seed": 0})


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, 3), dtype=np.float32)


class Box(Reconstructor):
    """The sum of the 3 x 3 pixels around each, in float64, repeated at the border; it notes what it is given."""

    name = "box"
    summary = "for tests"

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, int]] = []
        self.room = 10**9
        self.error: Callable[[], Exception] = MemoryError

    receptive_field = 3
    halo = 1

    def fit(self, scenes: Any, context: Any) -> "Box":
        return self

    def reconstruct(self, rgb: np.ndarray) -> np.ndarray:
        height, width = rgb.shape[:2]
        if height * width > self.room:
            raise self.error()
        self.seen.append((height, width))
        padded = np.pad(rgb.astype(np.float64), ((1, 1), (1, 1), (0, 0)), mode="edge")
        return sum(padded[a : a + height, b : b + width] for a in range(3) for b in range(3)).astype(np.float32)

    def state(self) -> Any:
        return {}, {}

    @classmethod
    def from_state(cls, settings: Any, arrays: Any, config: Any) -> "Box":
        return cls()


@st.composite
def sizes(draw: st.DrawFn, branches: int) -> tuple[int, int, int]:
    """Height, width and a tile that cuts the image into a few."""
    most = 3 * 2 ** (branches - 1) + 2
    height, width = draw(st.integers(1, most)), draw(st.integers(1, most))
    tile = draw(st.integers(max(1, -(-max(height, width) // (5 if branches < 7 else 2))), most))
    return height, width, tile


@pytest.mark.parametrize("branches", range(1, 10))
def test_tiles_equal_the_whole_for_every_variant_and_size(branches: int) -> None:
    single, double = narrow_gan(branches), narrow_gan(branches)
    double.generator_.double()
    grid = single.grid

    @settings(max_examples=25 if branches < 7 else 2, deadline=None)
    @given(size=sizes(branches))
    @example(size=(1, 1, 1))
    @example(size=(1, 2 * grid + 1, grid))
    @example(size=(2 * grid + 1, 3, grid))  # the last tile is one pixel and its padding all but the whole grid
    @example(size=(max(1, grid - 1), grid, grid))
    def check(size: tuple[int, int, int]) -> None:
        height, width, tile = size
        rgb = image(height, width)
        tiled, whole = reconstruct(single, rgb, str(tile)), single.reconstruct(rgb)
        assert tiled.dtype == np.float32
        np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-5)
        tiled, whole = reconstruct(double, rgb, str(tile)), double.reconstruct(rgb)
        assert tiled.dtype == np.float64
        np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-12)

    check()


def test_batch_normalisation_tiles_exactly_too() -> None:
    method = narrow_gan(4, batch_norm=True)
    rgb = image(40, 50)
    np.testing.assert_allclose(reconstruct(method, rgb, "16"), method.reconstruct(rgb), rtol=0, atol=1e-5)


@pytest.mark.parametrize("branches", [2, 4, 6])
def test_a_halo_one_pixel_smaller_would_not_do(branches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    method = narrow_gan(branches)
    grid = method.grid
    rgb = image(4 * grid, 4 * grid)
    monkeypatch.setattr(Gan, "halo", grid - 1)
    difference = np.abs(reconstruct(method, rgb, str(2 * grid - 1)) - method.reconstruct(rgb))
    assert difference.max() > 1e-4


def test_per_pixel_methods_give_the_same_bits_in_tiles() -> None:
    method = Linear.from_state({}, {"coefficients": np.random.default_rng(0).random((3, 31))}, {})
    levels = np.random.default_rng(1).integers(0, 20, (50, 70, 3))
    rgb = levels.astype(np.float32) / np.float32(255)  # few colours: whole, they are looked up; in tiles some are not
    np.testing.assert_array_equal(reconstruct(method, rgb, "7"), method.reconstruct(rgb))


def test_separate_tiles_are_the_estimates_of_the_tiles_as_images_of_their_own() -> None:
    method, rgb = narrow_gan(4), image(40, 44)
    separate = reconstruct(method, rgb, "separate:16")
    for top in range(0, 40, 16):
        for left in range(0, 44, 16):
            alone = method.reconstruct(rgb[top : top + 16, left : left + 16])
            np.testing.assert_array_equal(separate[top : top + 16, left : left + 16], alone)
    near = near_seams(Window(0, 0, 40, 44), (40, 44), 16)
    difference = np.abs(separate - method.reconstruct(rgb)).max(axis=2)
    assert difference[near].mean() > 10 * np.median(difference[~near])


@settings(max_examples=60)
@given(st.data())
def test_near_a_seam_is_what_a_plain_loop_finds(data: st.DataObject) -> None:
    height, width, size = (data.draw(st.integers(1, 14)) for _ in range(3))
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    region = Window(top, left, data.draw(st.integers(1, height - top)), data.draw(st.integers(1, width - left)))

    def near(place: int, whole: int) -> bool:
        # a seam lies before pixel s; the pixels at most SEAM from it are s - SEAM .. s + SEAM - 1
        return any(seam - SEAM <= place < seam + SEAM for seam in range(size, whole, size))

    expected = [[near(y, height) or near(x, width) for x in range(width)] for y in range(height)]
    np.testing.assert_array_equal(near_seams(region, (height, width), size), np.array(expected)[region.slices])


def test_the_cost_of_separate_tiles_is_the_mean_over_pixels_of_the_rmse_over_bands() -> None:
    method, rgb = narrow_gan(3), image(21, 30)
    cost = SeamCost((21, 30), 8)
    read = lambda window: rgb[window.slices]  # noqa: E731
    parts = dict(stream(method, read, (21, 30), "separate:8", cost=cost))
    separate = reconstruct(method, rgb, "separate:8")
    for window, cube in parts.items():
        np.testing.assert_array_equal(cube, separate[window.slices])
    levels = 255 * np.sqrt(((separate.astype(float) - method.reconstruct(rgb)) ** 2).mean(axis=2))
    near = near_seams(Window(0, 0, 21, 30), (21, 30), 8)
    assert cost.overall == pytest.approx(levels.mean(), rel=1e-4)
    assert cost.near == pytest.approx(levels[near].mean(), rel=1e-4)
    assert cost.near > cost.overall > 0


def test_separate_tiles_cost_a_per_pixel_method_nothing() -> None:
    method = Linear.from_state({}, {"coefficients": np.ones((3, 31))}, {})
    cost = SeamCost((9, 9), 4)
    for _ in stream(method, lambda window: image(9, 9)[window.slices], (9, 9), "separate:4", cost=cost):
        pass
    assert (cost.overall, cost.near) == (0.0, 0.0)


@settings(max_examples=60)
@given(st.data())
def test_tiles_cover_an_image_once_and_see_what_the_halo_asks_for(data: st.DataObject) -> None:
    shape = (data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40)))
    height, width, halo = (data.draw(st.integers(1, 20)) for _ in range(3))
    grid = data.draw(st.sampled_from([1, 2, 8]))
    covered = np.zeros(shape, int)
    for tile in plan.split(Window(0, 0, *shape), height, width):
        covered[tile.slices] += 1
        window = plan.seen(tile, shape, grid, halo)
        for axis in (0, 1):
            start, end = window[axis], window[axis] + window[axis + 2]
            assert start % grid == 0
            assert start == 0 or start <= tile[axis] - halo
            assert end == shape[axis] or end == tile[axis] + tile[axis + 2] + halo
    assert (covered == 1).all()


@pytest.mark.parametrize("shape", [(30_000, 20_000), (1, 500_000_000), (500_000_000, 1), (100, 3_000_000), (700, 900)])
@pytest.mark.parametrize("branches", [1, 4, 9])
def test_the_tile_that_fits_uses_the_memory_there_is_and_no_more(shape: tuple[int, int], branches: int) -> None:
    method = Gan(branches=branches)
    pixels = 2_000_000
    height, width = plan.fitting(method, shape, pixels)
    sides = [min(whole, side + 2 * method.halo) for whole, side in zip(shape, (height, width), strict=True)]
    assert sides[0] * sides[1] <= pixels
    assert sides[0] * sides[1] > pixels / 2 or (height, width) == shape
    for whole, side in zip(shape, (height, width), strict=True):
        assert side == whole or side % method.grid == 0


def test_auto_is_whole_where_memory_suffices_and_tiles_where_it_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    method, rgb = Box(), image(300, 200)
    whole = reconstruct(method, rgb)
    assert method.seen == [(300, 200)]
    room = 2 * 20_000 * method.bytes_per_pixel
    monkeypatch.setattr(inference, "available_memory", lambda _device: room)
    method.seen.clear()
    np.testing.assert_array_equal(reconstruct(method, rgb), whole)
    assert len(method.seen) > 1
    assert all(height * width <= 20_000 for height, width in method.seen)


def test_a_stream_of_a_per_pixel_method_is_in_small_tiles_whatever_the_memory() -> None:
    method = Linear.from_state({}, {"coefficients": np.ones((3, 31))}, {})
    asked: list[Window] = []

    def read(window: Window) -> np.ndarray:
        asked.append(window)
        return np.zeros((window.height, window.width, 3), np.float32)

    told: list[float] = []
    windows = stream(method, read, (3000, 1500), progress=lambda done, _words: told.append(done))
    assert sum(window.height * window.width for window, _ in windows) == 3000 * 1500
    assert max(window.height * window.width for window in asked) <= 1 << 20
    assert told == sorted(told)
    assert told[-1] == 1.0


OUT_OF_MEMORY = {
    "python": MemoryError,
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "cpu": lambda: RuntimeError(
        "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"
    ),
}


@pytest.mark.parametrize("error", OUT_OF_MEMORY.values(), ids=OUT_OF_MEMORY)
@pytest.mark.parametrize("tiles", ["auto", "64", "1000"])
def test_out_of_memory_goes_on_in_smaller_tiles_with_a_warning(
    error: Callable[[], Exception], tiles: str, caplog: pytest.LogCaptureFixture
) -> None:
    method, rgb = Box(), image(90, 70)
    whole = method.reconstruct(rgb)
    method.seen.clear()
    method.room, method.error = 700, error
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(reconstruct(method, rgb, tiles), whole)
    assert all("box ran out of memory; going on in tiles of" in record.message for record in caplog.records)
    assert 1 <= len(caplog.records) <= 5
    assert max(height * width for height, width in method.seen) > 200  # halved, not given up


def test_memory_that_runs_out_in_the_middle_keeps_what_is_done() -> None:
    method, rgb = Box(), image(64, 64)
    whole = method.reconstruct(rgb)
    method.seen.clear()
    for number, (window, cube) in enumerate(stream(method, lambda window: rgb[window.slices], (64, 64), "32")):
        np.testing.assert_array_equal(cube, whole[window.slices])
        if number == 1:
            method.room = 600
    assert method.seen[:2] == [(33, 33), (33, 33)]
    assert max(height * width for height, width in method.seen[2:]) <= 600


def test_memory_that_never_suffices_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(_generator: torch.nn.Module, _rgb: torch.Tensor) -> torch.Tensor:
        raise MemoryError

    monkeypatch.setattr("specrec_gan.inference.cubes", hungry)
    method = narrow_gan(4)
    with pytest.raises(SpecrecError, match="gan ran out of memory even on a tile of 8 x 8 pixels; end other programs"):
        reconstruct(method, image(60, 60))
    with pytest.raises(SpecrecError, match="gan ran out of memory on 60 x 60 pixels at once; use --tiles auto"):
        reconstruct(method, image(60, 60), "whole")
    with pytest.raises(SpecrecError, match="gan ran out of memory on a separate tile of 32 pixels"):
        reconstruct(method, image(60, 60), "separate:32")


@pytest.mark.parametrize("tiles", ["8", "separate:8"])
def test_an_estimate_of_another_size_is_not_fitted_in(tiles: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Box, "reconstruct", lambda _self, _rgb: np.zeros((1, 1, 3), np.float32))
    with pytest.raises(SpecrecError, match=r"box answered \d+ x \d+ pixels with a cube of \(1, 1, 3\)"):
        reconstruct(Box(), image(20, 20), tiles)


def test_another_error_of_a_method_is_not_taken_for_a_lack_of_memory() -> None:
    method = Box()
    method.room, method.error = 0, lambda: RuntimeError("sizes differ")
    with pytest.raises(RuntimeError, match="sizes differ"):
        reconstruct(method, image(20, 20), "8")


def test_dropout_when_reconstructing_is_refused_in_tiles_and_whole_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    method, rgb = narrow_gan(3, dropout_at_test=True), image(24, 24)
    monkeypatch.setattr(inference, "available_memory", lambda _device: 1)
    np.testing.assert_array_equal(reconstruct(method, rgb), method.reconstruct(rgb))
    for tiles in ("8", "separate:8"):
        with pytest.raises(UsageError, match="gan as it is set gives another estimate in tiles; use --tiles whole"):
            reconstruct(method, rgb, tiles)


@pytest.mark.parametrize("text", ["", "tiles", "0", "-4", "1.5", "separate", "separate:", "separate:0", "256x256"])
def test_an_unknown_mode_lists_the_known_ones(text: str) -> None:
    with pytest.raises(UsageError, match="tiles are auto, whole, SIZE or separate:SIZE"):
        parse_tiles(text)
