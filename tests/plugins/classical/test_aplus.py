import numpy as np
import pytest

from specrec.errors import DataError
from specrec.interfaces import FitContext
from specrec.per_pixel import sample_pixels
from specrec.rendering import decode_srgb
from specrec.scenes import Scene, TrainingScene
from specrec.spectra import WAVELENGTHS
from specrec_classical.anchors import closest, learn_anchors, length_of, mapped
from specrec_classical.aplus import APlus

EVERY = 10**6  # more pixels than a scene has: all of them


def closest_plainly(colours, anchors):
    scores = sum(colours[:, [channel]] * anchors[:, channel] for channel in range(3))
    return scores.argmax(axis=1)


def mapped_plainly(colours, maps, chosen):
    red, green, blue = colours.T[..., np.newaxis]
    of = maps[chosen]
    return (red * of[:, 0] + green * of[:, 1] + blue * of[:, 2]).astype(np.float32)


def ridge_regression(colours, spectra, ridge):
    """Least squares of the colours and of three more that the penalty stands for."""
    weight = np.sqrt(ridge * np.square(colours).sum())
    more = np.concatenate([colours, weight * np.eye(3)])
    return np.linalg.lstsq(more, np.concatenate([spectra, np.zeros((3, spectra.shape[1]))]), rcond=1e-12)[0]


def unit(rng, count):
    colours = rng.random((count, 3))
    return colours / length_of(colours)


def scene_of(cube, scaling="minmax"):
    scene = Scene(
        "scene", cube.shape, WAVELENGTHS, "radiance", "a test", lambda w: cube if w is None else cube[w.slices]
    )
    return TrainingScene(scene, scaling=scaling)


def image(seed=0, height=40, width=30):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.float32) / np.float32(255)


def lit_pixels(scenes):
    encoded, spectra = sample_pixels(scenes, EVERY, np.random.default_rng(0))
    linear = decode_srgb(encoded)
    lit = linear.any(axis=1)
    return linear[lit], spectra[lit].astype(np.float64)


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(3)
    bumps = np.exp(-(((WAVELENGTHS[:, np.newaxis] - np.linspace(420, 680, 5)) / 50) ** 2))
    scenes = [scene_of((rng.random((30, 25, 5)) ** 2 @ bumps.T).astype(np.float32)) for _ in range(2)]
    return APlus(anchors=20, neighbours=150, pixels_per_scene=600).fit(scenes, FitContext(seed=4))


@pytest.mark.parametrize("count", [1, 255, 256, 257, 700])
def test_the_compiled_loops_equal_plain_numpy_to_the_bit(count):
    rng = np.random.default_rng(count)
    colours, anchors, maps = rng.random((count, 3)), unit(rng, 37), rng.standard_normal((37, 3, 31))
    colours[::5] = 0.0
    chosen = closest(colours, anchors)
    np.testing.assert_array_equal(chosen, closest_plainly(colours, anchors))
    np.testing.assert_array_equal(mapped(colours, maps, chosen), mapped_plainly(colours, maps, chosen))


def test_of_equal_anchors_the_first_is_taken_and_of_all_by_black():
    anchors = np.repeat(unit(np.random.default_rng(0), 4), 2, axis=0)
    colours = np.concatenate([3 * anchors, np.zeros((1, 3))])
    assert closest(colours, anchors).tolist() == [0, 0, 2, 2, 4, 4, 6, 6, 0]


@pytest.mark.parametrize("ridge", [0.0, 1e-4, 0.3])
def test_one_anchor_with_all_pixels_as_neighbours_is_ridge_regression(training_scenes, ridge):
    colours, spectra = lit_pixels(training_scenes)
    expected = ridge_regression(colours, spectra, ridge)
    method = APlus(anchors=1, neighbours=EVERY, ridge=ridge, pixels_per_scene=EVERY).fit(training_scenes, FitContext())
    np.testing.assert_allclose(method.maps_, expected[np.newaxis], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(method.reconstruct(image()), decode_srgb(image()) @ expected, atol=1e-6)


def test_every_map_is_the_ridge_regression_of_the_neighbours_of_its_anchor(training_scenes):
    method = APlus(anchors=12, neighbours=100, ridge=1e-3, pixels_per_scene=EVERY)
    method.fit(training_scenes, FitContext(seed=2))
    colours, spectra = lit_pixels(training_scenes)
    for anchor, found in zip(method.anchors_, method.maps_, strict=True):
        correlation = (colours / length_of(colours)) @ anchor
        near = correlation >= np.sort(correlation)[-100] - 1e-12  # equals of the hundredth too
        assert 100 <= near.sum() < 400
        np.testing.assert_allclose(found, ridge_regression(colours[near], spectra[near], 1e-3), rtol=1e-6, atol=1e-9)


def test_a_linear_world_is_recovered(fitted):
    truth = np.random.default_rng(5).random((3, 31))
    method = APlus.from_state({}, {"anchors": fitted.anchors_, "maps": np.repeat(truth[np.newaxis], 20, axis=0)}, {})
    np.testing.assert_allclose(method.reconstruct(image()), decode_srgb(image()) @ truth, atol=1e-6)


def test_half_the_light_has_the_same_anchor_and_half_the_spectrum(fitted):
    colours = np.random.default_rng(6).random((500, 3))
    np.testing.assert_array_equal(closest(colours, fitted.anchors_), closest(0.5 * colours, fitted.anchors_))
    assert fitted.reconstruct(np.zeros((1, 1, 3), np.float32)).max() == 0.0


def test_anchors_find_the_directions_there_are():
    rng = np.random.default_rng(7)
    truth = np.array([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8], [0.6, 0.8, 0.0]])
    colours = truth[rng.integers(0, 3, 600)] * rng.uniform(0.01, 1.0, (600, 1)) + rng.uniform(0, 1e-3, (600, 3))
    starts = rng.permutation(50)  # one of many seeds starts with a colour of each direction
    found = next(
        a
        for a in (learn_anchors(colours, 3, 10, np.random.default_rng(s)) for s in starts)
        if len(set(closest(truth, a))) == 3
    )
    np.testing.assert_allclose(found[closest(truth, found)], truth, atol=5e-3)


def test_each_pass_leaves_less_of_the_colours_unexplained():
    colours = np.random.default_rng(8).random((3000, 3)) ** 2
    kept = []
    for passes in range(5):
        anchors = learn_anchors(colours, 30, passes, np.random.default_rng(1))
        np.testing.assert_allclose(length_of(anchors), 1.0, atol=1e-12)
        kept.append(np.square((colours * anchors[closest(colours, anchors)]).sum(axis=1)).sum())
    assert kept == sorted(kept)
    assert kept[-1] > kept[0]


def test_more_anchors_or_neighbours_than_there_are_colours_are_no_failure():
    grey = np.linspace(0.01, 1, 400).reshape(20, 20, 1).astype(np.float32) * np.ones(31, np.float32)
    for ridge in (0.0, 1e-5):
        method = APlus(ridge=ridge).fit([scene_of(grey, "none")], FitContext())
        assert len(method.anchors_) <= 400
        estimate = method.reconstruct(scene_of(grey, "none").rgb())
        np.testing.assert_allclose(estimate, grey, atol=0.01)


def test_training_without_light_is_a_data_error():
    with pytest.raises(DataError, match="not black"):
        APlus().fit([scene_of(np.zeros((3, 3, 31), np.float32), "none")], FitContext())


def test_an_image_in_parts_is_the_image_in_one(fitted):
    colours = image(8, height=130, width=97)
    whole = fitted.reconstruct(colours)
    np.testing.assert_array_equal(whole[5:111, 13:96], fitted.reconstruct(colours[5:111, 13:96]))
    np.testing.assert_array_equal(whole[77:78, 31:32], fitted.reconstruct(colours[77:78, 31:32]))
    np.testing.assert_array_equal(fitted.reconstruct(np.tile(colours, (2, 1, 1)))[130:], whole)


def test_state_comes_back_to_the_bit_and_one_that_does_not_fit_is_refused(fitted):
    arrays, config = fitted.state()
    again = APlus.from_state(fitted.settings, arrays, config)
    np.testing.assert_array_equal(again.reconstruct(image()), fitted.reconstruct(image()))
    assert fitted.parameter_count == 20 * (3 + 3 * 31)
    with pytest.raises(ValueError, match="unit length"):
        APlus.from_state({}, {**arrays, "anchors": 2 * arrays["anchors"]}, {})
    with pytest.raises(ValueError, match="maps must be finite and of shape"):
        APlus.from_state({}, {**arrays, "maps": arrays["maps"][:5]}, {})
    with pytest.raises(ValueError, match="unit length"):
        APlus.from_state({}, {"anchors": np.zeros((0, 3)), "maps": np.zeros((0, 3, 31))}, {})
