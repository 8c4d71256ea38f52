import numpy as np
import pytest
import scipy.io

from specrec.cubes import write_cube
from specrec.datasets.folder import FolderSource
from specrec.errors import DataError, UsageError
from specrec.scenes import Window


def some_cube(height=6, width=5, bands=31, seed=0):
    return np.random.default_rng(seed).random((height, width, bands), dtype=np.float32)


@pytest.fixture
def root(tmp_path):
    mask = np.ones((6, 5), dtype=bool)
    mask[0] = False
    write_cube(tmp_path / "leaf.h5", some_cube(), np.arange(400, 701, 10), {"quantity": "reflectance"}, mask)
    write_cube(tmp_path / "Sky.h5", some_cube(3, 9, 4), [410, 500.5, 600, 701], {"quantity": "radiance"})
    (tmp_path / "notes.txt").write_text("stray")
    (tmp_path / ".hidden.h5").write_text("stray")
    return tmp_path


def test_scenes_are_what_their_files_say(root):
    source = FolderSource(root)
    assert source.names() == ["Sky", "leaf"]
    leaf, sky = source.open("leaf"), source.open("Sky")
    assert (leaf.quantity, leaf.shape) == ("reflectance", (6, 5, 31))
    assert (sky.quantity, sky.shape) == ("radiance", (3, 9, 4))
    np.testing.assert_array_equal(sky.wavelengths, [410, 500.5, 600, 701])
    np.testing.assert_array_equal(leaf.cube(), some_cube())
    np.testing.assert_array_equal(leaf.cube(Window(1, 2, 3, 2)), some_cube()[1:4, 2:4])
    assert not leaf.mask[0].any()
    assert leaf.mask[1:].all()
    assert sky.mask.all()
    assert source.files("leaf") == [root / "leaf.h5"]


def test_cubes_of_other_makers_are_scenes_too(tmp_path):
    labels = np.ones((6, 5))
    labels[2] = 0
    scipy.io.savemat(tmp_path / "imgd3.mat", {"ref": some_cube().astype(float), "lbl": labels})
    write_cube(tmp_path / "field.hdr", some_cube(4, 3), np.arange(400, 701, 10), {"quantity": "reflectance"})
    write_cube(tmp_path / "sea.nc", some_cube(4, 3), np.arange(400, 701, 10), {"quantity": "radiance"})
    (tmp_path / "photo.tif").write_text("stray")
    source = FolderSource(tmp_path)
    assert source.names() == ["field", "imgd3", "sea"]
    harvard = source.open("imgd3")
    assert (harvard.quantity, harvard.shape, harvard.wavelengths[0]) == ("radiance", (6, 5, 31), 420)
    np.testing.assert_array_equal(harvard.cube(Window(1, 2, 3, 2)), some_cube()[1:4, 2:4])
    np.testing.assert_array_equal(harvard.mask, labels != 0)
    assert source.open("field").quantity == "reflectance"
    np.testing.assert_array_equal(source.open("sea").cube(), some_cube(4, 3))
    assert source.open("sea").mask.all()
    assert source.files("field") == [tmp_path / "field.hdr", tmp_path / "field.img"]


def test_a_file_without_a_quantity_names_the_way_out(tmp_path):
    scipy.io.savemat(tmp_path / "scene.mat", {"img": some_cube(), "lambda": np.arange(400, 701, 10)})
    with pytest.raises(DataError, match=r"scene\.mat does not say .*specrec convert scene\.mat NEW\.h5 --quantity"):
        FolderSource(tmp_path).open("scene")


def test_two_files_of_one_name_are_not_guessed_between(root):
    write_cube(root / "leaf.mat", some_cube(), np.arange(400, 701, 10), {"quantity": "radiance"})
    with pytest.raises(UsageError, match=r"leaf\.h5 and leaf\.mat are one scene by their names"):
        FolderSource(root).names()


def test_a_file_that_is_no_cube_is_listed_and_named(root):
    (root / "broken.h5").write_text("no HDF5")
    source = FolderSource(root)
    assert "broken" in source.names()
    with pytest.raises(DataError, match=r"broken\.h5: this is not an HDF5 file"):
        source.open("broken")


def test_an_unknown_scene_suggests_the_nearest(root):
    with pytest.raises(UsageError, match="did you mean 'leaf'"):
        FolderSource(root).open("leave")


def test_a_folder_that_is_not_there_or_holds_nothing_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"absent does not exist; the data set 'folder' expects cube files"):
        FolderSource(tmp_path / "absent").names()
    with pytest.raises(UsageError, match="holds no scenes of the data set 'folder'"):
        FolderSource(tmp_path).names()
    with pytest.raises(UsageError, match=r"name it \(--data FOLDER\)"):
        FolderSource().names()
