import h5py
import numpy as np
import pytest
import scipy.io

from specrec.datasets.icvl import IcvlSource
from specrec.errors import DataError, UsageError
from specrec.scenes import TrainingScene, Window
from specrec.spectra import WAVELENGTHS


def known_scene(height=40, width=30):
    """12-bit counts that differ from all their mirror images; the last columns were never measured."""
    counts = np.random.default_rng(7).integers(1, 4096, (height, width, 31), dtype=np.uint16)
    counts[:, -4:] = 0
    return counts


def write_icvl(path, upright, dtype=np.float64, **storage):
    """The layout, written from the description np.rot90(rad.T, k=1) and not with specrec."""
    with h5py.File(path, "w") as file:
        file.create_dataset("rad", data=np.rot90(upright, k=-1).T.astype(dtype), **storage)
        file["bands"] = WAVELENGTHS.reshape(-1, 1)
        file["rgb"] = np.zeros((3, *upright.shape[:2]))


@pytest.fixture
def root(tmp_path):
    write_icvl(tmp_path / "BGU_0403-1419-1.mat", known_scene())
    write_icvl(tmp_path / "bgu_0403-1439.mat", known_scene(20, 50), np.uint16, chunks=(1, 8, 8), compression="gzip")
    (tmp_path / "readme.txt").write_text("stray")
    (tmp_path / "._bgu_0403-1439.mat").write_text("stray")
    (tmp_path / "BGU_0403-1419-1.jpg").write_text("stray")
    return tmp_path


def test_a_known_scene_comes_back_upright_unmirrored_and_to_the_last_count(root):
    scene = IcvlSource(root).open("BGU_0403-1419-1")
    assert (scene.shape, scene.quantity) == ((40, 30, 31), "radiance")
    np.testing.assert_array_equal(scene.wavelengths, WAVELENGTHS)
    np.testing.assert_array_equal(np.rint(scene.cube() * 4095), known_scene())
    np.testing.assert_array_equal(scene.cube(), known_scene().astype(np.float32) / np.float32(4095))


def test_black_columns_are_masked_at_any_width(root):
    for name, width in (("BGU_0403-1419-1", 30), ("bgu_0403-1439", 50)):
        mask = IcvlSource(root).open(name).mask
        assert mask[:, : width - 4].all()
        assert not mask[:, width - 4 :].any()


def test_a_window_is_the_part_of_the_whole(root):
    scene = IcvlSource(root).open("bgu_0403-1439")
    window = Window(3, 5, 11, 17)
    np.testing.assert_array_equal(scene.cube(window), scene.cube()[window.slices])


def test_a_window_is_read_without_the_rest_of_the_file(root):
    path = root / "bgu_0403-1439.mat"
    with h5py.File(path) as file:
        places = [file["rad"].id.get_chunk_info(chunk) for chunk in range(file["rad"].id.get_num_chunks())]
    with path.open("r+b") as raw:
        for place in places:
            if place.chunk_offset[1] == 0:  # raw row 0 is the bottom of the image
                raw.seek(place.byte_offset)
                raw.write(bytes(place.size))
    scene = IcvlSource(root).open("bgu_0403-1439")
    np.testing.assert_array_equal(np.rint(scene.cube(Window(0, 0, 12, 50)) * 4095), known_scene(20, 50)[:12])
    with pytest.raises(DataError, match=r"bgu_0403-1439\.mat: the file is damaged"):
        scene.cube()


def test_the_training_view_of_a_scene_works(root):
    view = TrainingScene(IcvlSource(root).open("BGU_0403-1419-1"))
    cube = view.cube()
    assert cube[view.mask].min() == 0.0
    assert cube.max() == 1.0
    assert not cube[:, -4:].any()
    assert view.rgb().shape == (40, 30, 3)


def test_names_keep_the_case_of_the_files_and_are_matched_without_it(root):
    source = IcvlSource(root)
    assert source.names() == ["BGU_0403-1419-1", "bgu_0403-1439"]
    for spelled in ("BGU_0403-1419-1", "bgu_0403-1419-1", "bgu_0403-1419-1.mat", "BGU_0403-1419-1.MAT"):
        assert source.resolve(spelled) == "BGU_0403-1419-1"
        assert source.open(spelled).name == "BGU_0403-1419-1"
        assert source.files(spelled) == [root / "BGU_0403-1419-1.mat"]


def test_two_files_that_differ_in_case_need_the_case(root):
    write_icvl(root / "bgu_0403-1419-1.mat", known_scene())
    if len(IcvlSource(root).names()) < 3:
        pytest.skip("this file system does not tell the case of names")
    assert IcvlSource(root).open("bgu_0403-1419-1").name == "bgu_0403-1419-1"
    with pytest.raises(UsageError, match="may be BGU_0403-1419-1 or bgu_0403-1419-1"):
        IcvlSource(root).open("Bgu_0403-1419-1")


def test_an_unknown_scene_suggests_the_nearest(root):
    with pytest.raises(UsageError, match="has no scene 'bgu_0403-1440'; did you mean 'bgu_0403-1439'"):
        IcvlSource(root).open("bgu_0403-1440")


def test_damaged_files_are_listed_and_named(root):
    scipy.io.savemat(root / "old.mat", {"rad": known_scene()})
    (root / "text.mat").write_text("404 not found")
    with h5py.File(root / "other.mat", "w") as file:
        file["img"] = known_scene()
    whole = (root / "BGU_0403-1419-1.mat").read_bytes()
    (root / "short.mat").write_bytes(whole[: len(whole) // 2])
    source = IcvlSource(root)
    assert set(source.names()) == {"BGU_0403-1419-1", "bgu_0403-1439", "old", "text", "other", "short"}
    for name, sentence in {
        "old": r"old\.mat: this is a MATLAB v5 file",
        "text": r"text\.mat: this is not an HDF5 file",
        "other": r"other\.mat has no key 'rad'; it holds img",
        "short": r"short\.mat: the file is truncated",
    }.items():
        with pytest.raises(DataError, match=sentence):
            source.open(name)


def test_opening_reads_no_pixel(root, monkeypatch):
    monkeypatch.setattr(h5py.Dataset, "__getitem__", _only_small(h5py.Dataset.__getitem__))
    assert IcvlSource(root).open("BGU_0403-1419-1").shape == (40, 30, 31)


def _only_small(genuine):
    def read(dataset, *arguments, **options):
        assert dataset.size <= 31
        return genuine(dataset, *arguments, **options)

    return read


def test_a_folder_that_is_not_there_or_holds_nothing_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"absent does not exist; the data set 'icvl' expects .* \.mat files"):
        IcvlSource(tmp_path / "absent").names()
    with pytest.raises(UsageError, match="holds no scenes of the data set 'icvl'"):
        IcvlSource(tmp_path).names()
    with pytest.raises(UsageError, match="SPECREC_ICVL"):
        IcvlSource().names()
