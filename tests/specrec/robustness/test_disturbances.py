"""Each disturbance against a plain computation, or against what physics says of it."""

import warnings
from io import BytesIO
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from specrec.rendering import Quantisation, encode_srgb, linear_srgb, quantise, render, srgb_to_xyz, xyz
from specrec.robustness.back_projection import back_projection
from specrec.robustness.camera import taken, white_preserving
from specrec.robustness.conditions import condition
from specrec.robustness.exposure import exposed, unclipped
from specrec.robustness.jpeg import compressed
from specrec.robustness.metamers import FARTHEST, blacks, metamers
from specrec.robustness.noise import READING, noisy
from specrec.robustness.observer import observed
from specrec.robustness.photo import clean, photo
from specrec.scenes import InputKind, TrainingScene
from specrec.spectra import WAVELENGTHS, Cube
from specrec.testing.small_scenes import smooth_scene

QUANTISATIONS = get_args(Quantisation)
KINDS: tuple[InputKind, ...] = ("srgb8", "linear")


@pytest.fixture(scope="module")
def cube() -> Cube:
    return TrainingScene(smooth_scene("s", 24, 20, 3, rising=True)).cube()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("quantisation", QUANTISATIONS)
def test_an_exposure_of_1_is_the_clean_photo(cube: Cube, kind: InputKind, quantisation: Quantisation) -> None:
    scene = TrainingScene(smooth_scene("s", 24, 20, 3, rising=True), "minmax", quantisation, kind)
    found = photo(condition("exposure=1"), cube, kind, quantisation, 0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, scene.rgb_of(cube), atol=1e-6)


def test_a_longer_exposure_doubles_light_and_tells_which_pixels_it_clips(cube: Cube) -> None:
    linear = clean(cube)
    np.testing.assert_allclose(exposed(linear, 2.0), linear_srgb(xyz(2.0 * cube.astype(float)) / 100), atol=1e-5)
    inside = unclipped(linear, 2.0)
    assert 0 < inside.sum() < inside.size
    np.testing.assert_array_equal(inside, [[2.0 * max(pixel) <= 1.0 for pixel in row] for row in linear])
    encoded = photo(condition("exposure=2"), cube, "srgb8", "none", 0)
    assert encoded.max() == 1.0, "what is clipped is white"
    assert (encoded[inside] < 1.0).mean() > 0.99


@pytest.mark.parametrize("value", [0.0, 0.04, 0.5, 1.0])
def test_noise_has_its_mean_and_its_variance(value: float) -> None:
    level, count = 0.05, 200_000
    found = noisy(np.full((count, 1, 3), value), level, 7).astype(np.float64)
    reading = (READING * level) ** 2
    wanted = (level**2 - reading) * value + reading
    assert found.mean() == pytest.approx(value, abs=5 * np.sqrt(wanted / found.size))
    assert found.var() == pytest.approx(wanted, rel=0.006)
    channels = np.corrcoef(found.reshape(-1, 3).T)
    assert np.abs(channels - np.eye(3)).max() < 0.02, "each channel has noise of its own"


def test_noise_depends_on_its_seed_alone_and_keeps_what_is_outside_srgb(cube: Cube) -> None:
    first, again, other = (noisy(clean(cube), 0.02, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    dark = noisy(np.full((50, 50, 3), -0.3), 0.01, 0)
    assert dark.mean() == pytest.approx(-0.3, abs=1e-3)


def test_a_jpeg_is_what_pillow_reads_of_a_file_with_colours_at_half_the_resolution(cube: Cube) -> None:
    levels = render(cube)
    file = BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=70, subsampling=2)
    np.testing.assert_array_equal(compressed(levels, 70), np.asarray(Image.open(file)))
    differences = [np.abs(compressed(levels, quality).astype(int) - levels).mean() for quality in (95, 70, 20)]
    assert 0 < differences[0] < differences[1] < differences[2]


def test_a_method_of_linear_input_sees_what_a_photo_that_is_a_jpeg_gives_it(cube: Cube) -> None:
    what = condition("jpeg=50")
    encoded, linear = (photo(what, cube, kind, "round", 0) for kind in KINDS)
    np.testing.assert_array_equal(encoded, compressed(render(cube), 50).astype(np.float32) / np.float32(255))
    np.testing.assert_allclose(linear, srgb_to_xyz(encoded), atol=1e-6)


def test_the_other_observer_renders_as_colour_science_does() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import colour

        shape = colour.SpectralShape(400, 700, 10)
        spectrum = np.linspace(0.1, 0.9, 31) ** 2
        wanted = colour.sd_to_XYZ(
            colour.SpectralDistribution(spectrum, WAVELENGTHS),
            colour.MSDS_CMFS["CIE 1931 2 Degree Standard Observer"].copy().align(shape),
            colour.SDS_ILLUMINANTS["E"].copy().align(shape),
            method="Integration",
        )
    np.testing.assert_allclose(observed(spectrum, "cie1931"), linear_srgb(wanted / 100), atol=1e-6)
    assert np.abs(observed(spectrum, "cie1931") - linear_srgb(xyz(spectrum) / 100)).max() > 1e-3


@pytest.mark.parametrize("camera", ["nikon-5100", "sigma-sdmerrill"])
def test_a_camera_takes_white_to_white_and_other_colours_near_to_theirs(camera: str, cube: Cube) -> None:
    np.testing.assert_allclose(taken(np.ones(31), camera), clean(np.ones((1, 31)))[0], atol=1e-6)
    np.testing.assert_allclose(taken(0.3 * np.ones(31), camera), 0.3 * clean(np.ones((1, 31)))[0], atol=1e-6)
    difference = np.abs(taken(cube, camera) - clean(cube)).mean()
    assert 1e-3 < difference < 0.05


def test_the_matrix_of_a_camera_is_the_best_of_those_that_keep_white() -> None:
    rng = np.random.default_rng(0)
    raw, wanted, white = rng.random((24, 3)), rng.random((24, 3)), np.array([1.2, 0.9, 0.8])

    def error(matrix: Any) -> float:
        return float(((raw @ matrix - wanted) ** 2).sum())

    found = white_preserving(raw, wanted, white)
    np.testing.assert_allclose(found.sum(axis=0), white)
    for _ in range(50):
        step = 0.01 * rng.standard_normal((3, 3))
        assert error(found + step - step.mean(axis=0)) > error(found)


def test_metamers_render_alike_and_are_far_apart(cube: Cube) -> None:
    valid = np.ones(cube.shape[:2], dtype=np.bool_)
    valid[0] = False
    other = metamers(cube, valid, 5)
    assert other.dtype == np.float32
    assert other.min() >= 0.0
    assert other.max() <= 1.0
    levels = [255 * encode_srgb(linear_srgb(xyz(one) / 100)) for one in (cube, other)]
    assert np.abs(levels[0] - levels[1]).max() < 0.5
    distances = np.sqrt(((other - cube).astype(np.float64) ** 2).mean(axis=2))
    assert (distances[0] == 0).all(), "a pixel that does not count stays as it is"
    assert distances.max() <= FARTHEST * (1 + 1e-5)
    assert np.median(distances[valid]) > 0.3 * FARTHEST
    np.testing.assert_array_equal(other, metamers(cube, valid, 5))
    assert (metamers(cube, valid, 6) != other).any()


def test_a_metamer_stays_within_bounds_also_where_there_is_no_room_and_no_light() -> None:
    rng = np.random.default_rng(1)
    cube = rng.random((6, 7, 31)).astype(np.float32)
    cube[0], cube[1, :, 4] = 0.0, 0.0
    other = metamers(cube, np.ones((6, 7), dtype=np.bool_), 0)
    assert np.isfinite(other).all()
    assert other.min() >= 0.0
    assert other.max() <= 1.0
    np.testing.assert_array_equal(other[0], 0.0)
    np.testing.assert_allclose(xyz(other), xyz(cube), atol=1e-4)
    alone = metamers(cube, np.zeros((6, 7), dtype=np.bool_), 0)
    np.testing.assert_array_equal(alone, cube)


def test_a_black_renders_to_nothing(cube: Cube) -> None:
    black = blacks(cube.reshape(-1, 31).astype(np.float64))
    assert np.abs(black).max() > 0.01
    np.testing.assert_allclose(xyz(black), 0.0, atol=1e-10)


def test_back_projection_is_0_for_the_truth_and_a_plain_root_else(cube: Cube) -> None:
    mask = np.ones(cube.shape[:2], dtype=np.bool_)
    mask[:5] = False
    scene = TrainingScene(smooth_scene("s", 24, 20, 3, rising=True))
    rgb, rendered = scene.rgb_of(cube), scene.rgb_of(cube * np.float32(0.8))
    assert back_projection(rgb, rgb, mask, "srgb8").value == 0.0
    levels = [quantise(one)[mask].astype(float) for one in (rgb, rendered)]
    found = back_projection(rendered, rgb, mask, "srgb8")
    assert found.value == pytest.approx(np.sqrt(((levels[0] - levels[1]) ** 2).mean()), rel=1e-5)
    assert found.weight == mask.sum()
    linear = [xyz(one) / 100 for one in (cube, 0.8 * cube)]
    assert back_projection(*linear, mask, "linear").value == pytest.approx(found.value, rel=0.02)
    assert back_projection(rgb, rgb, np.zeros_like(mask), "srgb8").weight == 0.0
