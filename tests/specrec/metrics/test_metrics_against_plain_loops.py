"""Every metric against a plain loop over pixels, on drawn cubes and masks."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from specrec.metrics import specrec_metrics, valid_pixels
from specrec.spectra import WAVELENGTHS

METRICS = {metric.name: metric for metric in specrec_metrics()}


# The references: plain Python, one pixel at a time, written from the definitions alone.


def mean_of(numbers, valid):
    numbers = list(numbers)
    value = math.fsum(numbers) / len(numbers) if numbers else 0.0
    return value, len(numbers), 1 - len(numbers) / valid


def length(spectrum):
    return math.sqrt(math.fsum(value * value for value in spectrum))


def plain_rmse(pixels):
    return mean_of((255 * length([e - r for e, r in p]) / math.sqrt(len(p)) for p in pixels), len(pixels))


def plain_rrmse(pixels):
    numbers, kept = [], 0
    for pixel in pixels:
        ratios = [(e - r) / r for e, r in pixel if r >= 1 / 255]
        kept += len(ratios)
        if ratios:
            numbers.append(length(ratios) / math.sqrt(len(ratios)))
    value, weight, _ = mean_of(numbers, len(pixels))
    return value, weight, 1 - kept / sum(len(pixel) for pixel in pixels)


def plain_rrmse_norm(pixels):
    numbers = [length([e - r for e, r in p]) / length([r for _, r in p]) for p in pixels if any(r for _, r in p)]
    return mean_of(numbers, len(pixels))


def plain_gfc(pixels):
    numbers = []
    for pixel in pixels:
        if any(e for e, _ in pixel) and any(r for _, r in pixel):
            product = math.fsum(e * r for e, r in pixel)
            numbers.append(abs(product) / (length([e for e, _ in pixel]) * length([r for _, r in pixel])))
    return mean_of(numbers, len(pixels))


def plain_sam(pixels):
    numbers = []
    for pixel in pixels:
        lengths = length([e for e, _ in pixel]), length([r for _, r in pixel])
        if all(lengths):
            # the angle by its half, which keeps its digits near zero, folded to below a right angle
            u, v = (
                [value / size for value in side] for side, size in zip(zip(*pixel, strict=True), lengths, strict=True)
            )
            minus, plus = (length([a + sign * b for a, b in zip(u, v, strict=True)]) for sign in (-1, 1))
            angle = 2 * math.atan2(minus, plus)
            numbers.append(min(angle, math.pi - angle))
    return mean_of(numbers, len(pixels))


def plain_rmse_arad2016(pixels):
    values = [pair for pixel in pixels for pair in pixel]
    brightest = max(r for _, r in values)
    if brightest <= 0:
        return 0.0, 0, 1.0
    return 255 * length([e - r for e, r in values]) / math.sqrt(len(values)) / brightest, len(pixels), 0


def plain_mrae_ntire2018(pixels):
    numbers = [abs(e - r) / (r + 2**-52) for pixel in pixels for e, r in pixel]
    return mean_of(numbers, len(numbers))[0], 1, 0


def plain_mrae_ntire2020(pixels):
    values = [pair for pixel in pixels for pair in pixel]
    value, count, left_out = mean_of([abs(e - r) / r for e, r in values if r > 0], len(values))
    return value, min(count, 1), left_out


def plain_psnr(pixels):
    error = mean_of(((e - r) ** 2 for pixel in pixels for e, r in pixel), 1)[0]
    return (10 * math.log10(1 / error) if error else math.inf), len(pixels), 0


def plain_de2000(pixels):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import it warns of optional packages that are not needed here
        import colour

    observer = colour.MSDS_CMFS["CIE 1964 10 Degree Standard Observer"][WAVELENGTHS]
    observer = observer / observer[:, 1].sum()
    white = colour.XYZ_to_xy(observer.sum(axis=0))
    estimates, references = np.moveaxis(np.array(pixels), 2, 0)
    labs = [colour.XYZ_to_Lab(side @ observer, white) for side in (estimates, references)]
    return mean_of(colour.difference.delta_E_CIE2000(*labs), len(pixels))


PLAIN = {
    "rmse": plain_rmse,
    "rrmse": plain_rrmse,
    "rrmse@norm": plain_rrmse_norm,
    "gfc": plain_gfc,
    "sam": plain_sam,
    "de2000": plain_de2000,
    "rmse@arad2016": plain_rmse_arad2016,
    "mrae@ntire2018": plain_mrae_ntire2018,
    "mrae@ntire2020": plain_mrae_ntire2020,
    "psnr": plain_psnr,
}


def assert_as_plain(name, estimate, reference, mask):
    pixels = [
        [(float(e), float(r)) for e, r in zip(estimate[where], reference[where], strict=True)]
        for where in zip(*np.nonzero(mask), strict=True)
    ]
    score = METRICS[name](estimate, reference, mask, WAVELENGTHS)
    value, weight, left_out = PLAIN[name](pixels)
    # half of the digits are lost by the arccos of a number near 1, and by the root of the chroma of a grey
    tolerance = {"sam": 1e-7, "de2000": 1e-5}.get(name, 1e-9)
    assert score.value == pytest.approx(value, rel=1e-9, abs=tolerance)
    assert score.weight == weight
    assert score.left_out == pytest.approx(left_out, abs=1e-12)


brightness = st.one_of(st.just(0.0), st.just(1 / 255), st.floats(2.0**-20, 1.0, width=32))
shapes = st.tuples(st.integers(1, 4), st.integers(1, 4))


@st.composite
def scored(draw, bands):
    """An estimate, a reference with zeros, and a mask with a valid pixel."""
    height, width = draw(shapes)
    reference = draw(arrays(np.float32, (height, width, bands), elements=brightness))
    estimate = draw(arrays(np.float32, (height, width, bands), elements=st.one_of(brightness, st.just(-0.25))))
    mask = draw(arrays(np.bool_, (height, width)))
    mask[draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))] = True
    return estimate, reference, mask


@pytest.mark.parametrize("name", [name for name in METRICS if name != "de2000"])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_cubes_score_as_a_plain_loop_says(name, data):
    assert_as_plain(name, *data.draw(st.one_of(scored(3), scored(1))))


# Seeded noise and not drawn spectra: of two hues exactly opposite, which drawing finds, rounding picks the mean hue.
@given(st.integers(0, 2**32), shapes, st.sampled_from([0.001, 0.1, 1.0]))
@settings(max_examples=30, deadline=None)
def test_any_cubes_differ_in_colour_as_colour_science_says(seed, shape, size):
    rng = np.random.default_rng(seed)
    reference = rng.random((*shape, 31), dtype=np.float32) * rng.integers(0, 2, (*shape, 1), dtype=np.int8)
    estimate = reference + np.float32(size) * rng.standard_normal(reference.shape, dtype=np.float32)
    mask = rng.random(shape) < 0.7
    mask[-1, 0] = True
    assert_as_plain("de2000", estimate, reference, mask)


@pytest.mark.parametrize("name", METRICS)
def test_an_image_of_several_blocks_scores_as_a_plain_loop_says(name, monkeypatch):
    monkeypatch.setattr(valid_pixels, "BLOCK", 64)
    rng = np.random.default_rng(0)
    reference = rng.random((23, 17, 31), dtype=np.float32)
    reference[rng.random(reference.shape) < 0.05] = 0.0
    estimate = reference + np.float32(0.1) * rng.standard_normal(reference.shape, dtype=np.float32)
    mask = rng.random((23, 17)) < 0.7
    mask[4:13] = False  # whole blocks without a valid pixel
    assert_as_plain(name, estimate, reference, mask)
