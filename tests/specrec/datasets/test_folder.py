import numpy as np
import pytest

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
    with pytest.raises(UsageError, match=r"absent does not exist; the data set 'folder' expects specrec's own"):
        FolderSource(tmp_path / "absent").names()
    with pytest.raises(UsageError, match="holds no scenes of the data set 'folder'"):
        FolderSource(tmp_path).names()
    with pytest.raises(UsageError, match=r"name it \(--data FOLDER\)"):
        FolderSource().names()
