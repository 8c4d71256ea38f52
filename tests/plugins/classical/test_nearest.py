import numpy as np
import pytest
from scipy.spatial import cKDTree

from specrec.errors import UsageError
from specrec.interfaces import FitContext
from specrec.per_pixel import sample_pixels
from specrec.rendering import decode_srgb, lab, srgb_to_xyz
from specrec.scenes import Scene, TrainingScene
from specrec.spectra import WAVELENGTHS
from specrec_classical.nearest import Nearest, _nearest

EVERY = 10**6  # more pixels than a scene has: all of them


def places(colours, space):
    return {
        "srgb": lambda: np.rint(colours * 255.0).astype(np.float64),
        "linear": lambda: decode_srgb(colours),
        "lab": lambda: lab(100.0 * srgb_to_xyz(colours)),
    }[space]()


def brute_force(scenes, query, k, space):
    """Average per colour, sort all distances, and of equal ones by the colours themselves."""
    colours, spectra = sample_pixels(scenes, EVERY, np.random.default_rng(0))
    known = sorted({tuple(colour) for colour in colours.tolist()})
    means = np.array(
        [spectra[(colours == np.float32(colour)).all(axis=1)].mean(axis=0, dtype=float) for colour in known]
    )
    where = places(np.array(known), space)
    answers = []
    for place in places(query.reshape(-1, 3).astype(np.float64), space):
        distances = np.square(where - place).sum(axis=1)
        answers.append(means[np.argsort(distances, kind="stable")[:k]].mean(axis=0))
    return np.array(answers).reshape(*query.shape[:2], -1)


def image(seed=0, height=13, width=11):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.float32) / np.float32(255)


def scene_of(cube):
    scene = Scene(
        "scene", cube.shape, WAVELENGTHS, "radiance", "a test", lambda w: cube if w is None else cube[w.slices]
    )
    return TrainingScene(scene, scaling="none")


def remembering(levels, spectra, **settings):
    arrays = {"colours": np.array(levels, np.float32) / np.float32(255), "spectra": np.array(spectra, float)}
    return Nearest.from_state(settings, arrays, {})


@pytest.mark.parametrize("space", ["lab", "srgb", "linear"])
@pytest.mark.parametrize("k", [1, 5, 1000])
def test_it_equals_brute_force(make_scene, space, k):
    scenes = [TrainingScene(make_scene(f"scene{seed}", 14, 17, seed)) for seed in range(2)]
    method = Nearest(k=k, space=space, pixels_per_scene=EVERY).fit(scenes, FitContext())
    for query in (image(), scenes[0].rgb()[:5, ::4]):  # strange colours, and training colours themselves
        np.testing.assert_allclose(method.reconstruct(query), brute_force(scenes, query, k, space), atol=1e-6)


def test_a_colour_that_occurs_often_is_averaged_first_and_counts_once():
    # two spectra of one rendered colour (they differ by less than a level), and one spectrum of another
    spectra = np.array([0.5, 0.5001, 0.8, 0.5])[:, np.newaxis] * np.ones(31)
    scene = scene_of(spectra.astype(np.float32).reshape(1, 4, 31))
    assert len(np.unique(scene.rgb().reshape(-1, 3), axis=0)) == 2
    method = Nearest(k=1).fit([scene], FitContext())
    np.testing.assert_allclose(method.reconstruct(scene.rgb()[:, :1]), (1.5001 / 3) * np.ones((1, 1, 31)), atol=1e-7)
    both = Nearest(k=2).fit([scene], FitContext())
    np.testing.assert_allclose(both.reconstruct(image(1)), (1.5001 / 3 + 0.8) / 2, atol=1e-7)


def test_of_equal_distances_the_first_colour_is_taken_however_the_tree_was_built():
    rng = np.random.default_rng(2)
    grid = np.argwhere(np.ones((9, 9, 9))).astype(np.float64)
    queries = rng.integers(0, 17, (300, 3)) / 2.0  # most lie as near to many points of the grid
    for wanted in (1, 3, 8, 20, len(grid)):
        expected = [np.argsort(np.square(grid - query).sum(axis=1), kind="stable")[:wanted] for query in queries]
        for leaf in (1, 16, 1000):
            found = _nearest(cKDTree(grid, leafsize=leaf), queries, wanted)
            np.testing.assert_array_equal(found, expected)


def test_in_srgb_distances_of_8_bit_colours_are_those_of_whole_levels():
    levels = np.stack([np.arange(256)] * 3, axis=1)
    method = remembering(levels, np.arange(256)[:, np.newaxis] * np.ones(31), space="srgb", k=2)
    query = np.float32(levels[1:-1, np.newaxis]) / np.float32(255)
    # itself and, of the two beside it, the darker
    np.testing.assert_array_equal(method.reconstruct(query)[..., 0].ravel(), np.arange(1, 255) - 0.5)


def test_the_order_of_the_scenes_does_not_matter_where_all_pixels_are_taken(training_scenes):
    there, back = (
        Nearest(pixels_per_scene=EVERY).fit(scenes, FitContext()) for scenes in (training_scenes, training_scenes[::-1])
    )
    np.testing.assert_array_equal(there.colours_, back.colours_)
    np.testing.assert_allclose(there.reconstruct(image()), back.reconstruct(image()), rtol=1e-6)


@pytest.mark.parametrize("space", ["lab", "srgb", "linear"])
def test_black_and_a_single_known_colour_are_no_failure(space):
    method = remembering([[0, 0, 0]], np.full((1, 31), 0.25), space=space)
    np.testing.assert_array_equal(method.reconstruct(image()), np.full((13, 11, 31), 0.25, np.float32))
    assert np.isfinite(method.reconstruct(np.zeros((1, 1, 3), np.float32))).all()


@pytest.mark.parametrize("space", ["lab", "srgb", "linear"])
def test_an_image_in_parts_is_the_image_in_one(training_scenes, space):
    method = Nearest(space=space, pixels_per_scene=300).fit(training_scenes, FitContext())
    colours = image(8, height=130, width=97)
    whole = method.reconstruct(colours)
    np.testing.assert_array_equal(whole[5:111, 13:96], method.reconstruct(colours[5:111, 13:96]))
    np.testing.assert_array_equal(whole[77:78, 31:32], method.reconstruct(colours[77:78, 31:32]))
    np.testing.assert_array_equal(method.reconstruct(np.tile(colours, (2, 1, 1)))[130:], whole)


def test_state_comes_back_to_the_bit_and_one_that_does_not_fit_is_refused(training_scenes):
    method = Nearest(pixels_per_scene=100).fit(training_scenes, FitContext(seed=1))
    arrays, config = method.state()
    again = Nearest.from_state(method.settings, arrays, config)
    np.testing.assert_array_equal(again.reconstruct(image()), method.reconstruct(image()))
    with pytest.raises(ValueError, match="spectra must be finite and of shape"):
        Nearest.from_state({}, {**arrays, "spectra": arrays["spectra"][1:]}, {})
    with pytest.raises(ValueError, match="there is none"):
        Nearest.from_state({}, {"colours": np.zeros((0, 3)), "spectra": np.zeros((0, 31))}, {})


def test_a_space_that_it_does_not_know_is_refused():
    with pytest.raises(UsageError, match="one of srgb, lab, linear"):
        Nearest(space="hsv")
