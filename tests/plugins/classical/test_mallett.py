import subprocess
import sys

import numpy as np
import pytest
from classical_scenes import check_parts, check_round_trip, photo, scene_of, smooth_scene

import specrec
from specrec.errors import DataError
from specrec.interfaces import FitContext
from specrec.rendering import XYZ_TO_RGB, decode_srgb, lab, render, srgb_to_xyz, xyz
from specrec.scenes import Scene, TrainingScene
from specrec.spectra import WAVELENGTHS
from specrec_classical.mallett import Mallett, primaries


@pytest.fixture
def mallett():
    return Mallett().fit([], FitContext())


def test_the_spectra_are_those_of_colour_science_wavelength_by_wavelength():
    from colour.recovery import MSDS_BASIS_FUNCTIONS_sRGB_MALLETT2019 as TABLE

    signals = TABLE.to_sds()
    ratios = [[signals[k][float(at)] / primaries()[k, i] for i, at in enumerate(WAVELENGTHS)] for k in range(3)]
    assert np.ptp(ratios, axis=1) == pytest.approx([0, 0, 0], abs=1e-9)  # each is divided by one number
    white = np.mean(ratios, axis=1)
    flat = xyz(np.ones(31)) / 100
    np.testing.assert_allclose(white, XYZ_TO_RGB @ flat)


def test_a_flat_spectrum_comes_back_flat(mallett):
    grey = scene_of(np.full((1, 1, 31), 0.3), scaling="none", quantisation="none")
    np.testing.assert_allclose(mallett.reconstruct(grey.rgb()), 0.3, atol=1e-6)


def test_it_is_the_weighted_sum_of_the_spectra(mallett):
    np.testing.assert_allclose(mallett.reconstruct(photo()), decode_srgb(photo()) @ primaries(), rtol=1e-6, atol=1e-7)


def test_no_estimate_is_negative_and_black_is_zero(mallett):
    assert mallett.reconstruct(photo()).min() >= 0
    assert not mallett.reconstruct(np.zeros((2, 2, 3), np.float32)).any()


def test_the_estimate_rendered_again_is_near_the_photo(mallett):
    from colour.difference import delta_E

    steps = np.linspace(0, 1, 16, dtype=np.float32)
    image = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(64, 64, 3)
    estimate = mallett.reconstruct(image)
    differences = delta_E(lab(xyz(estimate)), lab(100 * srgb_to_xyz(image)), method="CIE 2000")
    assert 2.5 < differences.mean() < 3.8  # 3.4: what the page says
    levels = np.abs(render(estimate, WAVELENGTHS).astype(float) - 255 * image)
    assert levels.mean() < 13


def test_the_scenes_teach_it_nothing(mallett):
    trained = Mallett().fit([smooth_scene(1)], FitContext(seed=3))
    np.testing.assert_array_equal(trained.primaries_, mallett.primaries_)
    assert trained.parameter_count == 0


def test_scenes_of_other_wavelengths_are_refused():
    scene = Scene("few", (2, 2, 3), np.array([400.0, 500.0, 600.0]), "radiance", "a test", lambda _window: None)
    with pytest.raises(DataError, match="not those of few"):
        Mallett().fit([TrainingScene(scene)], FitContext())


def test_the_weights_that_ship_are_its_spectra_and_need_no_training():
    shipped = specrec.load("mallett")
    np.testing.assert_array_equal(shipped.primaries_, primaries())


def test_with_its_weights_it_does_not_import_colour_science():
    code = (
        "import sys, numpy, specrec; specrec.load('mallett').reconstruct(numpy.ones((2, 2, 3), numpy.float32)); "
        "sys.exit('colour' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_image_in_parts_is_the_image_in_one(mallett):
    check_parts(mallett)


def test_state_comes_back_to_the_bit(mallett, tmp_path):
    check_round_trip(mallett, tmp_path)
