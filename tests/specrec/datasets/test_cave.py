import os
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.datasets.cave import CaveSource
from specrec.errors import DataError, SpecrecError, UsageError
from specrec.images import read_image
from specrec.rendering import render
from specrec.scenes import Window
from specrec.spectra import WAVELENGTHS


def check_sentence(error, file):
    assert str(file) in str(error)
    assert "\n" not in str(error)


def band_counts(height=6, width=8, seed=0):
    return np.random.default_rng(seed).integers(0, 65536, (height, width, 31), dtype=np.uint16)


def write_scene(folder, name="beads", counts=None):
    folder.mkdir(parents=True, exist_ok=True)
    counts = band_counts() if counts is None else counts
    for band in range(31):
        PIL.Image.fromarray(counts[..., band]).save(folder / f"{name}_ms_{band + 1:02}.png")
    return folder


@pytest.fixture
def root(tmp_path):
    """Two scenes, one at each depth, with the stray files that copies of the data set have."""
    write_scene(tmp_path / "beads_ms" / "beads_ms")
    write_scene(tmp_path / "fake_and_real_peppers_ms", "fake_and_real_peppers", band_counts(seed=1))
    inner = tmp_path / "beads_ms" / "beads_ms"
    (inner / "Thumbs.db").write_bytes(b"stray")
    (inner / "._beads_ms_01.png").write_bytes(b"stray")
    (inner / "beads_RGB.bmp").write_bytes(b"stray")
    (tmp_path / "readme.txt").write_text("stray")
    (tmp_path / "__MACOSX").mkdir()
    return tmp_path


def test_both_folder_depths_are_found_and_stray_files_are_not(root):
    source = CaveSource(root)
    assert source.names() == ["beads", "fake_and_real_peppers"]
    assert [path.name for path in source.files("beads")] == [f"beads_ms_{band:02}.png" for band in range(1, 32)]


def test_16_bit_bands_become_reflectance_in_their_order(root):
    scene = CaveSource(root).open("beads")
    assert (scene.name, scene.shape, scene.quantity) == ("beads", (6, 8, 31), "reflectance")
    np.testing.assert_array_equal(scene.wavelengths, WAVELENGTHS)
    assert scene.cube().dtype == np.float32
    np.testing.assert_array_equal(scene.cube(), band_counts().astype(np.float32) / np.float32(65535))
    assert scene.mask.all()


def test_8_bit_rgba_bands_are_divided_by_255(tmp_path):
    grey = (band_counts() // 256).astype(np.uint8)
    folder = tmp_path / "watercolors_ms"
    folder.mkdir()
    for band in range(31):
        opaque = np.full((6, 8), 255, dtype=np.uint8)
        pixels = np.dstack([grey[..., band]] * 3 + [opaque])
        PIL.Image.fromarray(pixels).save(folder / f"watercolors_ms_{band + 1:02}.png")
    cube = CaveSource(tmp_path).open("watercolors").cube()
    np.testing.assert_array_equal(cube, grey.astype(np.float32) / np.float32(255))


def test_each_band_has_its_own_full_scale(root):
    grey = np.full((6, 8), 51, dtype=np.uint8)
    PIL.Image.fromarray(grey).save(root / "beads_ms" / "beads_ms" / "beads_ms_05.png")
    cube = CaveSource(root).open("beads").cube()
    np.testing.assert_array_equal(cube[..., 4], np.float32(0.2))
    np.testing.assert_array_equal(cube[..., 5], band_counts()[..., 5].astype(np.float32) / np.float32(65535))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_window_equals_the_part_of_the_whole(tmp_path_factory, data):
    root = tmp_path_factory.getbasetemp() / "cave-windows"
    if not root.exists():
        write_scene(root / "beads_ms")
    top, left = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 7))
    window = Window(top, left, data.draw(st.integers(1, 6 - top)), data.draw(st.integers(1, 8 - left)))
    scene = CaveSource(root).open("beads")
    np.testing.assert_array_equal(scene.cube(window), scene.cube()[window.slices])


def test_many_windows_decode_the_bands_once(root, monkeypatch):
    decoded = []
    from specrec.datasets import cave

    genuine = cave.load_picture
    monkeypatch.setattr(cave, "load_picture", lambda path, formats: decoded.append(path) or genuine(path, formats))
    scene = CaveSource(root).open("beads")
    for row in range(6):
        scene.cube(Window(row, 0, 1, 8))
    assert len(decoded) == 31


def test_what_is_given_out_can_be_changed_without_harm(root):
    scene = CaveSource(root).open("beads")
    scene.cube()[:] = -1.0
    assert scene.cube().min() >= 0.0


def test_a_scene_that_changed_on_disk_is_read_anew(root):
    scene = CaveSource(root).open("beads")
    before = scene.cube()
    path = write_scene(root / "beads_ms" / "beads_ms", counts=band_counts(seed=5)) / "beads_ms_01.png"
    os.utime(path, ns=(1, 1))
    assert (scene.cube() != before).any()


def test_opening_reads_no_pixel(root, monkeypatch):
    monkeypatch.setattr("specrec.datasets.cave.load_picture", None)
    assert CaveSource(root).open("beads").shape == (6, 8, 31)


def test_missing_bands_are_named(root):
    folder = root / "beads_ms" / "beads_ms"
    (folder / "beads_ms_07.png").unlink()
    source = CaveSource(root)
    assert "beads" in source.names()
    with pytest.raises(DataError, match=r"beads_ms lacks beads_ms_07\.png$"):
        source.open("beads")
    (folder / "beads_ms_31.png").unlink()
    with pytest.raises(DataError, match=r"lacks beads_ms_07\.png, beads_ms_31\.png$"):
        source.open("beads")


def test_a_scene_without_any_band_is_listed_and_damaged(root):
    (root / "cloth_ms" / "cloth_ms").mkdir(parents=True)
    source = CaveSource(root)
    assert source.names() == ["beads", "cloth", "fake_and_real_peppers"]
    with pytest.raises(DataError, match=r"lacks cloth_ms_01\.png, .*_04\.png and 27 more"):
        source.open("cloth")


def test_a_band_too_many_is_named(root):
    folder = root / "beads_ms" / "beads_ms"
    shutil.copy(folder / "beads_ms_31.png", folder / "beads_ms_32.png")
    with pytest.raises(DataError, match=r"beads_ms_32\.png is none of the bands"):
        CaveSource(root).open("beads")


def test_a_band_of_another_size_is_named(root):
    path = root / "beads_ms" / "beads_ms" / "beads_ms_01.png"
    PIL.Image.fromarray(np.zeros((5, 8), dtype=np.uint16)).save(path)
    with pytest.raises(DataError, match=r"beads_ms_01\.png is 5 x 8 pixels, the scene's other bands 6 x 8"):
        CaveSource(root).open("beads")


@pytest.mark.parametrize("content", [b"", b"text, and no PNG at all", b"\x89PNG\r\n\x1a\n"])
def test_a_band_that_is_no_png_is_named_on_opening(root, content):
    (root / "beads_ms" / "beads_ms" / "beads_ms_12.png").write_bytes(content)
    with pytest.raises(DataError, match=r"beads_ms_12\.png is not a PNG"):
        CaveSource(root).open("beads")


def test_a_truncated_png_is_named(root):
    path = root / "beads_ms" / "beads_ms" / "beads_ms_12.png"
    path.write_bytes(path.read_bytes()[:-40])
    scene = CaveSource(root).open("beads")
    with pytest.raises(DataError, match=r"beads_ms_12\.png is damaged"):
        scene.cube()


def test_a_band_in_colour_is_named(root):
    path = root / "beads_ms" / "beads_ms" / "beads_ms_03.png"
    PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)).save(path)
    with pytest.raises(DataError, match=r"beads_ms_03\.png is a colour picture"):
        CaveSource(root).open("beads").cube()


def test_a_palette_band_is_refused(root):
    path = root / "beads_ms" / "beads_ms" / "beads_ms_03.png"
    PIL.Image.fromarray(np.zeros((6, 8), dtype=np.uint8)).convert("P").save(path)
    with pytest.raises(DataError, match=r"beads_ms_03\.png is neither 16-bit grey"):
        CaveSource(root).open("beads")


def test_a_band_that_vanishes_is_named(root):
    scene = CaveSource(root).open("beads")
    (root / "beads_ms" / "beads_ms" / "beads_ms_12.png").unlink()
    with pytest.raises(DataError, match=r"beads_ms_12\.png"):
        scene.cube()


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_damaged_band_is_read_or_refused_in_a_sentence(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("damaged")
    path = write_scene(root / "beads_ms") / "beads_ms_20.png"
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        cube = CaveSource(root).open("beads").cube()
    except SpecrecError as error:
        check_sentence(error, "beads_ms_20.png")
    else:
        assert cube.shape == (6, 8, 31)


def test_an_unknown_scene_suggests_the_nearest(root):
    for call in (CaveSource(root).open, CaveSource(root).files):
        with pytest.raises(UsageError, match="has no scene 'bead'; did you mean 'beads'"):
            call("bead")


def test_a_folder_that_is_not_there_or_holds_nothing_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"absent does not exist; the data set 'cave' expects folders <scene>_ms"):
        CaveSource(tmp_path / "absent").names()
    with pytest.raises(UsageError, match=r"holds no scenes of the data set 'cave', which expects folders"):
        CaveSource(tmp_path).names()
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file is not a folder"):
        CaveSource(tmp_path / "file").names()
    with pytest.raises(UsageError, match="SPECREC_CAVE"):
        CaveSource().names()


@pytest.fixture
def real():
    folder = os.environ.get("SPECREC_CAVE")
    if not folder:
        pytest.skip("SPECREC_CAVE does not name a folder")
    return CaveSource(Path(folder))


@pytest.mark.real_data
def test_every_real_scene_opens(real):
    for name in real.names():
        scene = real.open(name)
        assert scene.shape == (512, 512, 31)
        assert len(real.files(name)) == 31


@pytest.mark.real_data
def test_real_scenes_look_like_the_pictures_beside_them(real):
    """The data set's own RGB is made for another light, so the colours agree in kind and not in number."""
    for name in real.names()[:3] + [name for name in real.names() if name == "watercolors"]:
        scene = real.open(name)
        assert 0.0 <= scene.extent[0] < 0.1
        assert 0.5 < scene.extent[1] <= 1.0
        theirs = read_image(Path(scene.provenance) / f"{name}_RGB.bmp")
        ours = render(scene.cube(), scene.wavelengths, scale="minmax")
        for channel in range(3):
            assert np.corrcoef(theirs[..., channel].ravel(), ours[..., channel].ravel())[0, 1] > 0.95
