"""The plugin keeps what specrec promises its users, and its three parts are what they say."""

from pathlib import Path

import numpy as np
import pytest
from make_scenes import make_scenes
from specrec import WAVELENGTHS, FitContext, SpecrecError
from specrec.rendering import decode_srgb
from specrec.scenes import TrainingScene, Window
from specrec.testing import conformance

from specrec_example.local_maps import LocalMaps, spread_out
from specrec_example.npz_folder import NpzFolder
from specrec_example.worst_band import RMSE_WORST_BAND

FOLDER = make_scenes(Path(__file__).parent / "scenes")


@conformance("specrec-example", data={"npz-folder": FOLDER})
def test_the_plugin_keeps_the_contract(check):
    check()


@pytest.fixture
def views():
    source = NpzFolder(FOLDER)
    return [TrainingScene(source.open(name)) for name in source.names()]


def test_many_maps_fit_the_training_colours_better_than_one(views):
    one, many = (LocalMaps(centres=centres).fit(views[1:2], FitContext()) for centres in (1, 12))
    errors = [np.square(method.reconstruct(views[1].rgb()) - views[1].cube()).mean() for method in (one, many)]
    assert errors[1] < 0.7 * errors[0]


def test_one_map_is_the_least_squares_map(views):
    method = LocalMaps(centres=1, ridge=1e-9, pixels_per_scene=10**6).fit(views[1:2], FitContext())
    light, colour = decode_srgb(views[1].rgb()).reshape(-1, 3), views[2].rgb()[3:4, 4:5]
    (expected,) = decode_srgb(colour)[0] @ np.linalg.lstsq(light, views[1].cube().reshape(-1, 31), rcond=None)[0]
    np.testing.assert_allclose(method.reconstruct(colour)[0, 0], expected, atol=1e-4)


def test_centres_lie_far_apart_and_are_different():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.9, 0.0], [0.0, 0.0]])
    assert len(spread_out(points, 9, np.random.default_rng(0))) == 3
    assert {*map(tuple, spread_out(points, 2, np.random.default_rng(1)))} >= {(0.0, 0.0)}


def test_the_worst_band_is_found():
    reference = np.full((2, 2, 31), 0.5)
    estimate = reference.copy()
    estimate[..., 7] += 0.2
    estimate[..., 9] -= 0.1
    estimate[0, 0, 20] += 0.3  # 0.15 over the four pixels
    found = RMSE_WORST_BAND(estimate, reference, np.ones((2, 2), bool), WAVELENGTHS)
    assert found.value == pytest.approx(51.0)
    assert (found.weight, found.left_out) == (4, 0)


def test_a_scene_is_read_as_it_was_written(views):
    with np.load(FOLDER / "scene0.npz") as arrays:
        scene = views[0].scene
        np.testing.assert_array_equal(scene.cube(Window(2, 3, 4, 5)), arrays["cube"][2:6, 3:8])
        np.testing.assert_array_equal(scene.mask, arrays["mask"])
    assert views[1].mask.all()


def test_options_choose_scenes():
    assert NpzFolder(FOLDER, ending="3").names() == ["scene3"]


def test_a_damaged_file_is_listed_and_named(tmp_path):
    make_scenes(tmp_path, count=2)
    whole = (tmp_path / "scene1.npz").read_bytes()
    (tmp_path / "scene1.npz").write_bytes(whole[: len(whole) // 2])
    source = NpzFolder(tmp_path)
    assert source.names() == ["scene0", "scene1"]
    with pytest.raises(SpecrecError, match="scene1"):
        source.open("scene1")
