"""`filterbank`: filters, code and maps against plain ones, and two metamers that only texture tells apart."""

import math

import numpy as np
import pytest

from specrec.errors import DataError, UsageError
from specrec.interfaces import FitContext
from specrec.rendering import xyz_weights
from specrec.scenes import Scene, TrainingScene
from specrec.spectra import WAVELENGTHS
from specrec.tiling import reconstruct
from specrec_classical.filterbank import method as method_module
from specrec_classical.filterbank.coding import code, decode, positions
from specrec_classical.filterbank.learning import clusters, discriminants, local_maps
from specrec_classical.filterbank.method import Filterbank
from specrec_classical.filterbank.texture import energies, kernel, reach, sizes
from specrec_classical.linear import Linear

SMALL = {"scales": 2, "atoms": 24, "classes": 4, "pixels_per_scene": 600, "neighbours": 60}


def scene_of(cube, mask=None, name="scene"):
    scene = Scene(
        name=name,
        shape=cube.shape,
        wavelengths=WAVELENGTHS,
        quantity="radiance",
        provenance="a test",
        read=lambda window: cube if window is None else cube[window.slices],
        read_mask=None if mask is None else lambda: mask,
    )
    return TrainingScene(scene, scaling="none")


def metamers():
    """Return two smooth spectra of one colour, far apart."""
    bump = np.cos((WAVELENGTHS - 400) / 300 * 5 * np.pi)
    weights = xyz_weights()
    black = bump - weights @ np.linalg.lstsq(weights, bump, rcond=None)[0]
    black *= 0.15 / np.abs(black).max()
    return 0.35 + black, 0.35 - black


def two_materials(seed, linked, side=64):
    """Return a scene in two halves, one material each: stripes lie flat on the first and stand on the second.

    Where they are not linked the stripes lie or stand by chance.
    """
    rng = np.random.default_rng(seed)
    first, second = metamers()
    down, right = np.mgrid[:side, :side]
    lying, standing = (0.25 * np.sin(places * 2 * np.pi / 5 + rng.uniform(0, 6)) for places in (down, right))
    swapped = rng.random() < 0.5
    is_first = (right < side // 2) != swapped
    flat = is_first if linked else (is_first != (rng.random() < 0.5))
    shading = np.where(flat, lying, standing) + 0.02 * rng.standard_normal((side, side))
    spectra = np.where(is_first[..., np.newaxis], first, second)
    return scene_of((spectra * np.exp(shading)[..., np.newaxis]).astype(np.float32))


def error(method, scenes):
    return np.mean([np.sqrt(np.square(method.reconstruct(one.rgb()) - one.cube()).mean(-1)).mean() for one in scenes])


@pytest.fixture(scope="module")
def fitted():
    return Filterbank(**SMALL).fit([two_materials(seed, linked=True) for seed in range(4)], FitContext())


@pytest.fixture
def image():
    return (np.random.default_rng(3).integers(0, 256, (83, 71, 3)) / 255).astype(np.float32)


def plain_separable(image, along_columns, along_rows):
    """Two sums per pixel, in float64; beyond the border the image goes on as it ends."""
    radii = len(along_columns) // 2, len(along_rows) // 2
    padded = np.pad(image.astype(np.float64), [(radius, radius) for radius in radii], mode="edge")
    out = np.zeros(image.shape)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            seen = padded[row : row + len(along_columns), column : column + len(along_rows)]
            out[row, column] = along_columns @ seen @ along_rows
    return out


def test_energies_equal_plain_loops():
    signal = np.random.default_rng(0).standard_normal((13, 9)).astype(np.float32)
    found, expected = energies(signal, 2, 1.2), []
    pool = kernel(1.2, 0)
    for deviation in (0.7, 1.4):
        smooth, first, second = (kernel(deviation, order) for order in range(3))
        down, right = plain_separable(signal, second, smooth), plain_separable(signal, smooth, second)
        mixed = plain_separable(signal, first, first)
        for degrees in (0, 45, 90, 135):  # the second derivative across a direction, from the three of the axes
            sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
            response = cosine**2 * right + sine**2 * down + 2 * sine * cosine * mixed
            expected.append(plain_separable(np.abs(response), pool, pool))
        spot = down + right
        expected += [plain_separable(np.maximum(sign * spot, 0), pool, pool) for sign in (-1, 1)]
    assert found.shape == (12, 13, 9)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_kernels_are_a_gaussian_and_its_derivatives():
    for deviation in sizes(4):
        gaussian, first, second = (kernel(deviation, order) for order in range(3))
        place = np.arange(len(gaussian)) - len(gaussian) // 2
        assert gaussian.sum() == pytest.approx(1.0)
        assert (first @ place, second @ place) == pytest.approx((-deviation, 0.0), rel=0.05, abs=1e-12)
        assert second.sum() == pytest.approx(0.0, abs=1e-12)
        assert second @ place**2 == pytest.approx(2 * deviation**2, rel=0.15)  # the cut takes a tenth


def test_an_even_image_has_no_texture_and_stripes_answer_across_themselves():
    assert not energies(np.full((20, 20), -1.3, np.float32), 3, 3.0).max() > 1e-6
    lying = np.sin(np.arange(40) * 2 * np.pi / 5).astype(np.float32)[:, np.newaxis].repeat(40, axis=1)
    middle = energies(lying, 3, 3.0)[:, 20, 20].reshape(3, 6)
    assert (middle[:, 2] > 10 * middle[:, 0]).all()
    turned = energies(np.ascontiguousarray(lying.T), 3, 3.0)[:, 20, 20].reshape(3, 6)
    np.testing.assert_allclose(turned[:, [2, 0, 4, 5]], middle[:, [0, 2, 4, 5]], atol=1e-5)


@pytest.mark.parametrize("sparsity", [1, 3, 7])
def test_the_code_equals_a_plain_reference(sparsity):
    rng = np.random.default_rng(1)
    points = rng.standard_normal((200, 4)).astype(np.float32)
    prototypes = rng.standard_normal((4, 31)).astype(np.float32)
    atoms, weights = code(points, prototypes, sparsity)
    for point, found, weight in zip(points.astype(float), atoms, weights, strict=True):
        squares = np.square(point - prototypes.T).sum(axis=1)
        nearest = np.argsort(squares, kind="stable")[:sparsity]
        expected = np.exp(-squares[nearest] / 2)
        np.testing.assert_array_equal(found, nearest)
        np.testing.assert_allclose(weight, expected / expected.sum(), rtol=1e-5)


def test_equal_distances_go_to_the_prototype_that_comes_first():
    prototypes = np.array([[2.0, 1.0, -1.0, 1.0]], dtype=np.float32)
    atoms, weights = code(np.zeros((1, 1), dtype=np.float32), prototypes, 2)
    assert atoms.tolist() == [[1, 2]]
    assert weights.tolist() == [[0.5, 0.5]]


def test_a_point_far_from_all_prototypes_still_has_weights_that_add_up_to_one():
    weights = code(np.full((1, 2), 1e4, dtype=np.float32), np.eye(2, dtype=np.float32), 2)[1]
    assert weights.sum() == 1.0


def test_positions_and_decoding_equal_matrix_products():
    rng = np.random.default_rng(2)
    descriptors = rng.standard_normal((19, 50)).astype(np.float32)
    axes, origin, maps = rng.standard_normal((19, 4)), rng.standard_normal(4), rng.standard_normal((11, 5, 31))
    points = positions(descriptors, axes, origin)
    np.testing.assert_allclose(points, descriptors.T @ axes - origin, atol=1e-5)
    atoms, weights = code(points, rng.standard_normal((4, 11)).astype(np.float32), 3)
    lifted = np.concatenate([np.ones((50, 1)), points], axis=1)
    expected = np.einsum("nk,na,nkab->nb", weights, lifted, maps[atoms])
    np.testing.assert_allclose(decode(points, atoms, weights, maps), expected, atol=1e-5)


def test_a_local_map_is_the_weighted_ridge_regression_of_the_nearest_points():
    rng = np.random.default_rng(4)
    points, targets, weights = rng.standard_normal((80, 3)), rng.standard_normal((80, 5)), rng.random(80)
    prototypes = rng.standard_normal((2, 3))
    for prototype, found in zip(prototypes, local_maps(points, targets, weights, prototypes, 30, 0.4), strict=True):
        near = np.argsort(np.linalg.norm(points - prototype, axis=1))[:30]
        root = np.sqrt(weights[near] / weights[near].sum())[:, np.newaxis]
        rows = np.concatenate([root * np.c_[np.ones(30), points[near]], np.c_[np.zeros(3), math.sqrt(0.4) * np.eye(3)]])
        expected = np.linalg.lstsq(rows, np.concatenate([root * targets[near], np.zeros((3, 5))]), rcond=None)[0]
        np.testing.assert_allclose(found, expected, atol=1e-10)


def test_along_a_discriminant_classes_are_apart_and_their_own_variance_is_one():
    rng = np.random.default_rng(5)
    classes = rng.integers(0, 3, 900)
    values = rng.standard_normal((900, 4)) * [1.0, 5.0, 1.0, 0.0] + [7.0, 0.0, 1.0, 2.0]
    values[:, 2] += 4 * classes
    axes, origin = discriminants(values, classes, 2)
    projected = values @ axes - origin
    np.testing.assert_allclose(projected.mean(axis=0), 0.0, atol=1e-12)
    within = np.mean([projected[classes == one].var(axis=0) for one in range(3)], axis=0)
    np.testing.assert_allclose(within, 1.0, atol=0.02)
    means = np.array([projected[classes == one].mean(axis=0) for one in range(3)])
    assert np.ptp(means[:, 0]) == pytest.approx(8.0, rel=0.05)
    assert np.ptp(means[:, 1]) < 0.3


def test_there_are_no_more_clusters_than_distinct_rows():
    centres, labels = clusters(np.repeat([[0.0, 1.0], [5.0, 5.0]], 6, axis=0), 10, np.random.default_rng(0))
    assert len(centres) == 2
    assert len(set(labels[:6])) == len(set(labels[6:])) == 1


def test_texture_tells_two_metamers_apart_where_a_colour_cannot():
    training = [two_materials(seed, linked=True) for seed in range(6)]
    others = [two_materials(seed, linked=True) for seed in range(20, 26)]
    with_texture = error(Filterbank(**SMALL).fit(training, FitContext()), others)
    assert with_texture < 0.3 * error(Linear().fit(training, FitContext()), others)
    assert with_texture < 0.3 * error(Filterbank(**{**SMALL, "scales": 0}).fit(training, FitContext()), others)


def test_where_texture_says_nothing_nothing_is_gained():
    training = [two_materials(seed, linked=False) for seed in range(6)]
    others = [two_materials(seed, linked=False) for seed in range(20, 26)]
    with_texture = error(Filterbank(**SMALL).fit(training, FitContext()), others)
    assert with_texture > 0.9 * error(Linear().fit(training, FitContext()), others)


def test_tiles_and_strips_equal_the_whole_to_the_bit(fitted, image, monkeypatch):
    whole = fitted.reconstruct(image)
    np.testing.assert_array_equal(reconstruct(fitted, image, "16"), whole)
    monkeypatch.setattr(method_module, "_STRIP", 5 * image.shape[1])
    np.testing.assert_array_equal(fitted.reconstruct(image), whole)


def test_a_pixel_reaches_as_far_as_declared_and_no_further(fitted, image):
    assert fitted.halo == reach(2, 3.0) == 14
    assert fitted.receptive_field == 29
    even = np.full_like(image, 0.4)
    changed = even.copy()
    changed[40, 30] = (0.9, 0.2, 0.1)
    moved = np.argwhere((fitted.reconstruct(even) != fitted.reconstruct(changed)).any(-1)) - [40, 30]
    assert moved.min(axis=0).tolist() == [-14, -14]
    assert moved.max(axis=0).tolist() == [14, 14]


def test_without_filters_a_pixel_depends_on_its_colour_alone(image):
    method = Filterbank(**{**SMALL, "scales": 0}).fit([two_materials(0, linked=True)], FitContext())
    assert (method.halo, method.receptive_field, method.tiles_exactly) == (0, 1, True)
    whole = method.reconstruct(image)
    np.testing.assert_array_equal(method.reconstruct(image[40:41, 9:10]), whole[40:41, 9:10])
    np.testing.assert_array_equal(method.reconstruct(np.ascontiguousarray(image[::-1])), whole[::-1])


def test_black_gives_zero(fitted):
    assert not fitted.reconstruct(np.zeros((4, 5, 3), np.float32)).any()


def test_a_scene_smaller_than_the_samples_and_of_one_colour_still_teaches():
    cube = np.full((2, 3, 31), 0.3, np.float32)
    estimate = Filterbank().fit([scene_of(cube)], FitContext()).reconstruct(scene_of(cube).rgb())
    np.testing.assert_allclose(estimate, cube, atol=0.01)


def test_training_without_valid_or_lit_pixels_is_a_data_error():
    black = scene_of(np.zeros((3, 3, 31), np.float32))
    with pytest.raises(DataError, match="not black"):
        Filterbank().fit([black], FitContext())
    with pytest.raises(DataError, match="no pixel of the scene is valid"):
        Filterbank().fit([scene_of(np.ones((3, 3, 31), np.float32), np.zeros((3, 3), bool))], FitContext())
    with pytest.raises(DataError, match="no scenes"):
        Filterbank().fit([], FitContext())


def test_state_comes_back_to_the_bit_and_another_one_is_refused(fitted, image):
    arrays, config = fitted.state()
    loaded = Filterbank.from_state(SMALL, arrays, config)
    np.testing.assert_array_equal(loaded.reconstruct(image), fitted.reconstruct(image))
    with pytest.raises(ValueError, match="axes must be finite and of shape"):
        Filterbank.from_state({**SMALL, "scales": 3}, arrays, config)
    with pytest.raises(ValueError, match="maps must be finite and of shape"):
        Filterbank.from_state(SMALL, {**arrays, "maps": arrays["maps"][:, :-1]}, config)
    with pytest.raises(ValueError, match="wanted are the arrays"):
        Filterbank.from_state(SMALL, {"colours": arrays["colours"]}, config)
    with pytest.raises(UsageError, match="is not fitted"):
        Filterbank().state()
