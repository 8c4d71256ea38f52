import numpy as np
import pytest
from classical_scenes import pixels_of, scene_of, smooth_scene

from specrec.rendering import decode_srgb
from specrec.scenes import TrainingScene
from specrec_classical.least_squares import Triangle, joined, observations


def problem(seed, rows=3000, columns=7, bands=5, condition=1.0):
    """Rows whose singular values fall to 1/condition, and targets with noise."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((size, columns)))[0] for size in (rows, columns))
    matrix = left * np.geomspace(1, 1 / condition, columns) @ right.T
    return matrix, matrix @ rng.standard_normal((columns, bands)) + 0.01 * rng.standard_normal((rows, bands))


def triangle_of(rows, targets, parts=3):
    triangle = Triangle(rows.shape[1], targets.shape[1])
    for part in np.array_split(np.arange(len(rows)), parts):
        triangle.add(rows[part], targets[part])
    return triangle


def test_the_solution_is_that_of_the_whole_matrix():
    rows, targets = problem(0)
    expected = np.linalg.lstsq(rows, targets, rcond=None)[0]
    np.testing.assert_allclose(triangle_of(rows, targets).solve(), expected, rtol=0, atol=1e-9)


def test_the_condition_number_is_not_squared():
    rows, targets = problem(1, condition=1e9)
    truth = np.linalg.lstsq(rows, targets, rcond=None)[0]
    norm = np.linalg.norm(truth)
    assert np.linalg.norm(triangle_of(rows, targets).solve() - truth) < 1e-5 * norm
    normal = np.linalg.lstsq(rows.T @ rows, rows.T @ targets, rcond=None)[0]
    assert np.linalg.norm(normal - truth) > 0.1 * norm


def test_where_there_are_many_solutions_it_is_the_shortest():
    rows, targets = problem(2)
    rows[:, 6] = rows[:, 0] - rows[:, 1]
    expected = np.linalg.lstsq(rows, targets, rcond=None)[0]
    np.testing.assert_allclose(triangle_of(rows, targets).solve(), expected, atol=1e-9)


def test_small_singular_values_can_be_left_out():
    rows, targets = problem(3, condition=1e4)
    expected = np.linalg.lstsq(rows, targets, rcond=1e-3)[0]
    np.testing.assert_allclose(triangle_of(rows, targets).solve(smallest=1e-3), expected, rtol=1e-8, atol=1e-8)


def test_a_ridge_weighs_coefficients_of_columns_of_unit_root_mean_square():
    rows, targets = problem(4)
    scale = np.sqrt(np.square(rows).mean(axis=0))
    scaled = rows / scale
    expected = np.linalg.solve(scaled.T @ scaled / len(rows) + 0.3 * np.eye(7), scaled.T @ targets / len(rows))
    np.testing.assert_allclose(triangle_of(rows, targets).solve(0.3), expected / scale[:, np.newaxis], rtol=1e-9)


def test_a_ridge_means_the_same_in_other_units_and_for_more_pixels():
    rows, targets = problem(5)
    units = np.array([1e-3, 1, 20, 1, 5, 300, 1])
    estimate = rows @ triangle_of(rows, targets).solve(0.01)
    again = rows * units @ triangle_of(np.tile(rows * units, (3, 1)), np.tile(targets, (3, 1))).solve(0.01)
    np.testing.assert_allclose(again, estimate, rtol=1e-8, atol=1e-12)


def test_a_column_of_zeros_gets_no_weight():
    rows, targets = problem(6)
    rows[:, 2] = 0.0
    for ridge in (0.0, 0.1):
        np.testing.assert_allclose(triangle_of(rows, targets).solve(ridge)[2], 0.0, atol=1e-12)


def test_the_error_is_that_over_the_rows():
    rows, targets = problem(7)
    others, their_targets = problem(8)
    solution = triangle_of(rows, targets).solve(0.05)
    expected = np.square(others @ solution - their_targets).sum()
    assert triangle_of(others, their_targets).error(solution) == pytest.approx(expected, rel=1e-12)


def test_parts_joined_are_the_whole():
    rows, targets = problem(9)
    halves = [triangle_of(rows[:1000], targets[:1000]), triangle_of(rows[1000:], targets[1000:])]
    whole = joined(halves)
    assert whole.pixels == 3000
    expected = np.linalg.lstsq(rows, targets, rcond=None)[0]
    np.testing.assert_allclose(whole.solve(), expected, rtol=0, atol=1e-9)
    solution = np.ones((7, 5))
    assert whole.error(solution) == pytest.approx(sum(half.error(solution) for half in halves), rel=1e-12)


def test_what_is_kept_does_not_grow():
    rows, targets = problem(10)
    triangle = Triangle(7, 5)
    for _ in range(3):
        triangle.add(rows, targets)
        assert triangle.rows.shape == (12, 7)
        assert triangle.targets.shape == (12, 5)


def test_a_row_for_several_pixels_is_that_row_repeated():
    rng = np.random.default_rng(11)
    rows, pixels = rng.random((40, 3)), rng.integers(1, 9, 40)
    repeated = np.repeat(rows, pixels, axis=0)
    targets = rng.random((len(repeated), 4))
    sums = np.add.reduceat(targets, np.cumsum(pixels) - pixels)
    few = Triangle(3, 4)
    few.add(rows, sums, pixels)
    many = triangle_of(repeated, targets)
    assert few.pixels == many.pixels
    for ridge in (0.0, 0.2):
        np.testing.assert_allclose(few.solve(ridge), many.solve(ridge), rtol=0, atol=1e-12)
    missing = [many.error(solution) - few.error(solution) for solution in (np.zeros((3, 4)), np.ones((3, 4)))]
    assert missing[0] == pytest.approx(missing[1], rel=1e-9)


@pytest.mark.parametrize("quantisation", ["round", "none"])
def test_observations_say_what_all_pixels_say(quantisation):
    few = np.random.default_rng(12).random((8, 31), dtype=np.float32)  # so that colours repeat
    cube = few[np.random.default_rng(13).integers(0, 8, (30, 20))]
    scene = TrainingScene(scene_of(cube, cube[..., 0] < 0.9).scene, quantisation=quantisation)
    colours, linear, spectra = pixels_of([scene])
    triangle = Triangle(3, 31)
    seen = []
    for some, sums, pixels in observations(scene, block=200):
        triangle.add(decode_srgb(some), sums, pixels)
        seen.append((len(some), pixels.sum()))
    assert sum(pixels for _, pixels in seen) == len(colours) == triangle.pixels
    assert (sum(rows for rows, _ in seen) < len(colours)) == (quantisation == "round")
    expected = np.linalg.lstsq(linear, spectra, rcond=None)[0]
    np.testing.assert_allclose(triangle.solve(), expected, rtol=0, atol=1e-9)


def test_observations_of_a_scene_without_valid_pixels_are_none():
    scene = smooth_scene(14)
    empty = scene_of(scene.scene.cube(), np.zeros(scene.shape[:2], bool))
    assert not list(observations(TrainingScene(empty.scene, scaling="none")))
