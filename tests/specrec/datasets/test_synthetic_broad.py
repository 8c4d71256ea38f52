"""Tests of the broad prior: its spectra, its light and its camera."""

import numpy as np
import pytest

from specrec.datasets.synthetic.broad import draw_broad_spectra, draw_colourant
from specrec.datasets.synthetic.camera import add_veil, draw_veil
from specrec.datasets.synthetic.library import HIGHEST, LOWEST, library
from specrec.datasets.synthetic.light import draw_light
from specrec.datasets.synthetic.recipe import Recipe
from specrec.datasets.synthetic.scene import make_counts
from specrec.datasets.synthetic.world import world


def logarithms(count=400):
    return draw_broad_spectra(np.random.default_rng(0), count)


def test_every_spectrum_is_a_reflectance_between_the_darkest_and_the_lightest():
    reflectances = np.exp(logarithms())
    assert reflectances.shape == (400, 3, 31)
    assert reflectances.min() > LOWEST * (1 - 1e-9)
    assert reflectances.max() < HIGHEST * (1 + 1e-9)


def test_a_third_of_the_materials_are_measured_and_a_third_are_in_no_library():
    spectra, measured = np.exp(logarithms()[:, 0]), library().reflectances
    known = np.array([np.isclose(measured, spectrum).all(axis=1).any() for spectrum in spectra])
    assert 0.28 < known.mean() < 0.42
    # a mixture is a sum or a product of measured spectra; what neither gives back to 5 % is a colourant
    assert 0.2 < np.mean([not _near_the_library(spectrum) for spectrum in spectra]) < 0.6


def _near_the_library(spectrum):
    measured = library().reflectances
    shape = measured / np.linalg.norm(measured, axis=1, keepdims=True)
    return (shape @ spectrum / np.linalg.norm(spectrum)).max() > 0.998


def test_a_colourant_in_three_strengths_is_darker_where_it_is_stronger():
    for seed in range(50):
        strengths = draw_colourant(np.random.default_rng(seed))
        order = np.argsort(strengths.sum(axis=1))
        assert (np.diff(strengths[order], axis=0) > -1e-12).all()


def test_a_layer_without_absorption_is_as_light_as_kubelka_and_munk_say():
    # K / S = (1 - R)^2 / (2 R) has to give back the bands that the reflectance was made of
    reflectance = np.exp(draw_colourant(np.random.default_rng(1)))
    inside = (reflectance > LOWEST) & (reflectance < HIGHEST)
    ratio = (1 - reflectance) ** 2 / (2 * reflectance)
    strengths = ratio - ratio.min(axis=1, keepdims=True)
    assert inside.mean() > 0.9
    first, second = strengths[0] / strengths[0].max(), strengths[1] / strengths[1].max()
    assert np.allclose(first, second, atol=0.02)  # one shape in other strengths


def test_most_broad_scenes_are_neutral_and_the_others_are_in_daylight():
    lights = np.stack([draw_light(np.random.default_rng(seed), "broad").sun for seed in range(300)])
    slope = lights[:, 30] / lights[:, 0]
    neutral = lights.std(axis=1) == 0
    assert 0.6 < neutral.mean() < 0.8
    assert (slope[~neutral] < 0.7).any()
    assert (slope[~neutral] > 1.5).any()
    assert slope.max() < 4  # no lamp


def test_the_veil_lies_over_the_ends_of_the_range():
    veils = np.stack([draw_veil(np.random.default_rng(seed)) for seed in range(300)])
    assert veils.min() >= 0
    assert veils.max() <= 0.95
    middle, violet, red = veils[:, 15].mean(), veils[:, 0].mean(), veils[:, 30].mean()
    assert middle < 0.01
    assert violet > red > 5 * middle
    assert (np.diff(veils.mean(axis=0)[:10]) < 0).all()
    assert (np.diff(veils.mean(axis=0)[21:]) > 0).all()


def test_stray_light_lifts_what_is_dark_and_leaves_the_mean_of_a_grey_scene():
    rng = np.random.default_rng(0)
    light = np.linspace(0.5, 1.5, 31, dtype=np.float32)
    grey = rng.random((8, 9, 1), dtype=np.float32)
    radiance = grey * light
    veil = np.full(31, 0.25, dtype=np.float32)
    veiled = radiance.copy()
    add_veil(veiled, light, veil)
    assert np.allclose(veiled, light * (0.75 * grey + 0.25 * grey.mean()), rtol=1e-4)
    untouched = radiance.copy()
    add_veil(untouched, light, 0 * veil)
    assert np.array_equal(untouched, radiance)


@pytest.mark.parametrize("spectra", ["world", "broad"])
def test_only_broad_scenes_have_a_veil(spectra, monkeypatch):
    recipe = Recipe(0, 0, size=64, spectra=spectra)
    plain = make_counts(recipe)
    monkeypatch.setattr("specrec.datasets.synthetic.scene.draw_veil", lambda _rng: np.zeros(31, dtype=np.float32))
    assert np.array_equal(make_counts(recipe), plain) == (spectra == "world")


def test_every_broad_world_has_its_own_materials():
    assert not np.array_equal(world(0, "broad").log_reflectance, world(1, "broad").log_reflectance)


def test_scenes_of_the_embedded_protocol_are_not_made_again():
    assert Recipe(0, 0).folder.startswith("2-")
    assert Recipe(0, 0, spectra="broad").folder.startswith("3-")
