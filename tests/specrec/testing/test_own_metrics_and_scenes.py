"""The metrics and data sets that come with specrec keep the contract that plugins keep."""

from pathlib import Path

import h5py
import numpy as np
import PIL.Image
import pytest

from specrec.cubes import write_cube
from specrec.datasets import specrec_scene_sources
from specrec.metrics import specrec_metrics
from specrec.spectra import WAVELENGTHS
from specrec.testing.checks import NotApplicable
from specrec.testing.metrics import metric_checks
from specrec.testing.scenes import scene_checks

SOURCES = {source.name: source for source in specrec_scene_sources()}
METRIC_CHECKS = [check for metric in specrec_metrics() for check in metric_checks(metric)]
NEVER_TRIED = {"further scenes are other ones", "a folder that is not there is named"}
"""What some data sets do not promise: those of files have no further scenes, and `synthetic` has no folder."""


def counts(seed: int, height: int, width: int) -> np.ndarray:
    made = np.random.default_rng(seed).integers(1, 4096, (height, width, 31), dtype=np.uint16)
    made[:, -2:] = 0
    return made


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small copy of each data set that is read from a folder; the last scene of each is large enough to tell whether
    opening reads it.
    """
    root = tmp_path_factory.mktemp("data")
    for seed, name in enumerate(("beads", "face")):
        (root / "cave" / f"{name}_ms").mkdir(parents=True)
        bands = counts(seed, 170 + seed, 200)
        for band in range(31):
            path = root / "cave" / f"{name}_ms" / f"{name}_ms_{band + 1:02}.png"
            PIL.Image.fromarray(bands[..., band]).save(path)
    (root / "icvl").mkdir()
    for seed, name in enumerate(("BGU_0403-1419-1", "bgu_0403-1439")):
        with h5py.File(root / "icvl" / f"{name}.mat", "w") as file:
            file["rad"] = np.rot90(counts(seed, 170, 200 + seed), k=-1).T.astype(np.float64)
            file["bands"] = WAVELENGTHS.reshape(-1, 1)
    (root / "folder").mkdir()
    mask = np.ones((200, 180), dtype=bool)
    mask[3] = False
    cube = np.random.default_rng(0).random((200, 180, 31), dtype=np.float32)
    write_cube(root / "folder" / "tree.h5", cube, WAVELENGTHS, {"quantity": "reflectance"}, mask)
    for path in ("field.hdr", "sky.nc"):
        write_cube(root / "folder" / path, cube[:9, :7, :4], WAVELENGTHS[:4], {"quantity": "radiance"})
    return {path.name: path for path in root.iterdir()}


@pytest.mark.parametrize("check", METRIC_CHECKS, ids=map(str, METRIC_CHECKS))
def test_the_metrics_keep_their_promises(check):
    try:
        check()
    except NotApplicable:
        assert check.promise == "estimate and reference may change places"


SCENE_CHECKS = [(name, index) for name, source in SOURCES.items() for index in range(len(scene_checks(source)))]


@pytest.mark.parametrize(
    ("name", "index"), SCENE_CHECKS, ids=[str(scene_checks(SOURCES[name])[index]) for name, index in SCENE_CHECKS]
)
def test_the_data_sets_keep_their_promises(name, index, folders):
    check = scene_checks(SOURCES[name], folders.get(name))[index]
    try:
        check()
    except NotApplicable:
        assert check.promise in NEVER_TRIED


def test_symmetry_is_claimed_by_the_metrics_that_have_it():
    claimed = {metric.name for metric in specrec_metrics() if metric.symmetric}
    assert claimed == {"rmse", "gfc", "sam", "de2000", "psnr"}


@pytest.mark.real_data
def test_cave_keeps_its_promises_on_the_real_scenes(cave_folder):
    for check in scene_checks(SOURCES["cave"], cave_folder):
        try:
            check()
        except NotApplicable:
            assert check.promise in NEVER_TRIED
