from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specrec.errors import DataError
from specrec.rendering import render, xyz
from specrec.scenes import Scene, TrainingScene, Window
from specrec.testing.small_scenes import smooth_scene

SCENE = smooth_scene("one", 13, 17, 0)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    top, left = draw(st.integers(0, 12)), draw(st.integers(0, 16))
    return Window(top, left, draw(st.integers(1, 13 - top)), draw(st.integers(1, 17 - left)))


@given(windows())
def test_a_window_is_cut_out_of_the_whole(window: Window) -> None:
    for scaling in ("minmax", "none"):
        for kind, how in (("srgb8", "round"), ("srgb8", "truncate"), ("srgb8", "none"), ("linear", "round")):
            view = TrainingScene(SCENE, scaling, how, kind)  # type: ignore[arg-type] # literals in a loop
            np.testing.assert_array_equal(view.cube(window), view.cube()[window.slices])
            np.testing.assert_array_equal(view.rgb(window), view.rgb()[window.slices])


def test_scaling_uses_one_range_of_the_valid_pixels_and_invalid_ones_become_zero() -> None:
    raw, mask = SCENE.cube(), SCENE.mask
    scaled = TrainingScene(SCENE).cube()
    low, high = raw[mask].min(), raw[mask].max()
    assert low > 0, "the black column must not count"
    np.testing.assert_allclose(scaled[mask], (raw[mask] - low) / (high - low), rtol=1e-6)
    assert scaled[mask].min() == 0.0
    assert scaled[mask].max() == 1.0
    assert (scaled[~mask] == 0.0).all()


def test_the_rgb_is_the_8_bit_rendering_of_the_scaled_cube() -> None:
    view = TrainingScene(SCENE)
    expected = render(view.cube()).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(view.rgb(), expected)
    np.testing.assert_array_equal(SCENE.rgb(), expected)
    assert view.rgb().dtype == np.float32


def test_the_linear_input_is_neither_clipped_nor_quantised() -> None:
    view = TrainingScene(SCENE, input="linear")
    np.testing.assert_allclose(view.rgb(), xyz(view.cube()) / 100, rtol=1e-6)


def test_quantisation_is_the_protocols() -> None:
    fine = TrainingScene(SCENE, quantisation="none").rgb()
    truncated = TrainingScene(SCENE, quantisation="truncate").rgb()
    np.testing.assert_array_equal(np.floor(255.0 * fine.astype(float) + 1e-4), np.rint(255.0 * truncated))


def test_a_known_extent_saves_reading(make_scene: Callable[..., Scene]) -> None:
    def unread(_window: Window | None) -> np.ndarray:
        raise AssertionError("read")

    scene = replace(make_scene("a", 4, 5, 0), read=unread, known_extent=(0.5, 2.0))
    assert scene.extent == (0.5, 2.0)


def test_a_constant_scene_and_one_without_valid_pixels_are_errors(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene("flat", 4, 5, 0)
    flat = replace(scene, read=lambda _window: np.full((4, 5, 31), 2.0, np.float32))
    with pytest.raises(DataError, match="flat: a constant cube"):
        TrainingScene(flat).cube()
    with pytest.raises(DataError, match="flat: no pixel of the scene is valid"):
        _ = replace(scene, read_mask=lambda: np.zeros((4, 5), dtype=bool)).extent


@pytest.mark.parametrize("window", [Window(-1, 0, 2, 2), Window(0, 0, 14, 1), Window(0, 16, 1, 2), Window(0, 0, 0, 1)])
def test_a_window_outside_is_a_callers_bug(window: Window) -> None:
    with pytest.raises(ValueError, match="does not lie inside scene one"):
        SCENE.cube(window)
