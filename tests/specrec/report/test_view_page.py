"""`specrec view`: what is in the file, how large it is, and what it refuses."""

import json
import re

import numpy as np
import pytest

from specrec.cli.view import command
from specrec.cubes import write_cube
from specrec.errors import DataError, SpecrecError, UsageError
from specrec.report import looking, view_page
from specrec.report.packing import unpack_bytes, unpack_cube
from specrec.report.page import RESERVE, page, write_page
from specrec.report.view_page import write_view_page
from specrec.spectra import WAVELENGTHS


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def stored(name, height=9, width=7, seed=0, wavelengths=WAVELENGTHS, mask=None, **attributes):
    cube = np.random.default_rng(seed).random((height, width, len(wavelengths)), dtype=np.float32)
    write_cube(name, cube, wavelengths, {"quantity": "radiance", **attributes}, mask)
    return cube


def data_of(path):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"))[1]
    )


def run(*arguments):
    return command.main(arguments, standalone_mode=False)


def test_the_page_holds_the_cubes(tmp_path):
    cube, other = stored("a.h5"), stored("b.npy", seed=1)
    (scene,) = data_of(write_view_page([tmp_path / "a.h5", tmp_path / "b.npy"], tmp_path / "page.html"))["scenes"]
    assert [one["name"] for one in scene["cubes"]] == ["a", "b"]
    for one, true in zip(scene["cubes"], (cube, other), strict=True):
        np.testing.assert_allclose(unpack_cube(one["values"]), true, atol=one["values"]["step"] / 2 * 1.001)
        assert one["wavelengths"] == WAVELENGTHS.tolist()
        assert one["maps"] == {}


def test_a_large_cube_is_thinned_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(view_page, "PAGE_BYTES", RESERVE + 20_000)
    cube = stored("large.h5", 90, 60)
    path = write_view_page([tmp_path / "large.h5"], tmp_path / "page.html")
    (scene,) = data_of(path)["scenes"]
    step = scene["step"]
    assert step > 1
    assert scene["shape"] == [90, 60]
    found = unpack_cube(scene["cubes"][0]["values"])
    np.testing.assert_allclose(found, cube[::step, ::step], atol=scene["cubes"][0]["values"]["step"] / 2 * 1.001)
    assert len(json.dumps(data_of(path)["scenes"])) <= 20_000


def test_many_large_scenes_stay_under_the_limit(tmp_path):
    noise = np.random.default_rng(0).random((1, 1, 31), dtype=np.float32)

    def read(step):
        side = -(-600 // step)
        return np.random.default_rng(1).random((side, side, 31), dtype=np.float32) * noise

    def valid(step):
        return np.ones((-(-600 // step),) * 2, dtype=bool)

    shown = [looking.Shown(str(style), style, WAVELENGTHS, read, valid) for style in range(-1, 3)]
    scenes = [looking.SceneToShow(str(index), (600, 600), shown, "radiance") for index in range(3)]
    packed = looking.pack_scenes(scenes, 2_000_000)
    assert 1_000_000 < len(json.dumps(packed)) <= 2_000_000
    assert len(page("many", {"kind": "view", "title": "", "lead": "", "scenes": packed})) < 2_000_000 + RESERVE


def test_cubes_of_other_sizes_are_scenes_of_their_own(tmp_path):
    for name, height in (("a.h5", 5), ("b.h5", 5), ("c.h5", 6)):
        stored(name, height)
    scenes = data_of(write_view_page([tmp_path / f"{name}.h5" for name in "abc"], tmp_path / "page.html"))["scenes"]
    assert [[cube["name"] for cube in scene["cubes"]] for scene in scenes] == [["a", "b"], ["c"]]


def test_each_cube_keeps_its_own_wavelengths_and_is_compared_only_on_the_same(tmp_path):
    stored("truth.h5")
    stored("same.h5", seed=1)
    stored("coarse.h5", wavelengths=np.arange(420.0, 721.0, 20.0), seed=2)
    paths = [tmp_path / name for name in ("same.h5", "coarse.h5", "truth.h5")]
    (scene,) = data_of(write_view_page(paths, tmp_path / "page.html"))["scenes"]
    truth, same, coarse = scene["cubes"]
    assert (truth["name"], truth["style"], same["style"], coarse["style"]) == ("truth", -1, 0, 1)
    assert coarse["wavelengths"][-1] == 720.0
    assert set(same["maps"]) == {"rmse", "sam", "de2000", "rrmse", "gfc"}
    assert coarse["maps"] == {}
    assert "false colours" in coarse["picture"]


def test_masked_pixels_and_nan_are_marked(tmp_path):
    mask = np.ones((9, 7), dtype=bool)
    mask[0, 0] = False
    stored("masked.h5", mask=mask)
    cube = np.random.default_rng(0).random((9, 7, 31), dtype=np.float32)
    cube[3, 4, 5] = np.nan
    np.save("nan.npy", cube)
    (scene,) = data_of(write_view_page([tmp_path / "masked.h5", tmp_path / "nan.npy"], tmp_path / "page.html"))[
        "scenes"
    ]
    masked, nan = (unpack_bytes(one["valid"]) for one in scene["cubes"])
    assert np.argwhere(masked == 0).tolist() == [[0, 0]]
    assert np.argwhere(nan == 0).tolist() == [[3, 4]]


def test_the_reference_can_be_named_and_need_not_be_given_twice(tmp_path):
    stored("a.h5")
    stored("b.h5", seed=1)
    run("a.h5", "b.h5", "--reference", "b.h5", "-o", "page.html")
    (scene,) = data_of(tmp_path / "page.html")["scenes"]
    assert [(cube["name"], cube["style"]) for cube in scene["cubes"]] == [("b", -1), ("a", 0)]


def test_a_view_without_a_reference_says_how_to_see_errors(tmp_path):
    stored("gan.h5"), stored("pixel.h5", seed=1), stored("truth.h5", seed=2)
    gan, pixel, truth = (tmp_path / f"{name}.h5" for name in ("gan", "pixel", "truth"))

    def lead(*cubes, reference=None):
        return data_of(write_view_page(cubes, tmp_path / "page.html", reference, overwrite=True))["lead"]

    assert "--reference CUBE shows errors" in lead(gan, pixel)
    for said in (lead(gan), lead(gan, truth), lead(gan, pixel, reference=pixel)):
        assert "reference" not in said


def test_a_reference_of_another_size_is_a_usage_error(tmp_path):
    stored("a.h5", 5)
    stored("b.h5", 6)
    with pytest.raises(UsageError, match=r"no other cube has the 6 x 7 pixels of --reference b\.h5"):
        run("a.h5", "--reference", "b.h5")
    assert not (tmp_path / "a.html").exists()


def test_the_page_is_named_for_the_first_cube_and_replaced_only_when_asked(tmp_path):
    stored("leaf.h5")
    run("leaf.h5")
    before = (tmp_path / "leaf.html").read_bytes()
    with pytest.raises(UsageError, match=r"leaf\.html exists"):
        run("leaf.h5")
    run("leaf.h5", "--overwrite")
    assert (tmp_path / "leaf.html").read_bytes() == before
    with pytest.raises(UsageError, match="a page is written as"):
        run("leaf.h5", "-o", "leaf.png")


def test_files_that_are_no_cubes_are_refused_and_leave_nothing(tmp_path):
    (tmp_path / "text.h5").write_text("no cube")
    with pytest.raises(DataError, match=r"text\.h5"):
        run("text.h5")
    with pytest.raises(UsageError, match=r"absent\.h5"):
        run("absent.h5")
    assert not list(tmp_path.glob("*.html"))


def test_hostile_names_stay_inside_the_data(tmp_path):
    folder = tmp_path / "<"
    folder.mkdir()
    name = "script><script>alert(1)<!--.h5"
    (tmp_path / "other").mkdir()
    for place in (folder, tmp_path / "other"):
        stored(place / name)
    path = write_view_page([folder / name, tmp_path / "other" / name], tmp_path / "page.html")
    text = path.read_text("utf-8")
    assert "</script><script>alert" not in text
    assert "<!--" not in text
    assert text.count("<script") == 2
    assert str(folder / name) in [cube["name"] for cube in data_of(path)["scenes"][0]["cubes"]]


def test_nothing_is_loaded_from_anywhere(tmp_path):
    stored("a.h5")
    text = write_view_page([tmp_path / "a.h5"], tmp_path / "page.html").read_text("utf-8")
    outside = re.sub(r'(?s)<script type="application/json".*?</script>', "", text)
    assert re.findall(r'(?:src|href)="([^"]*)"', outside) == ["data:,", "#looking"]
    assert set(re.findall(r"https?://[^\s\"')]+", outside)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|import\(|WebSocket|sendBeacon", outside)
    assert "default-src 'none'" in outside


def test_a_file_that_is_spelt_in_two_ways_is_shown_once(tmp_path):
    stored("a.h5")
    stored("b.h5", seed=1)
    run("a.h5", str(tmp_path / "b.h5"), "b.h5", "--reference", "./b.h5", "-o", "page.html")
    (scene,) = data_of(tmp_path / "page.html")["scenes"]
    assert [(cube["name"], cube["style"]) for cube in scene["cubes"]] == [("b", -1), ("a", 0)]


def small_scenes(count):
    def read(step):
        return np.random.default_rng(0).random((9, 9, 31), dtype=np.float32)[::step, ::step]

    shown = [looking.Shown("a", 0, WAVELENGTHS, read, lambda step: np.ones((9, 9), dtype=bool)[::step, ::step])]
    return [looking.SceneToShow(f"s{index}", (9, 9), shown, "radiance") for index in range(count)]


@pytest.mark.parametrize("room", [-5, 0, 10_000])
def test_scenes_without_room_are_left_out_and_said_to_be(room):
    missing = []
    packed = looking.pack_scenes(small_scenes(8), room, missing)
    assert len(json.dumps(packed)) <= max(room, 2) + 2 * len(packed)
    assert len(packed) + len(missing) == 8
    assert bool(packed) == (room > 0)
    assert missing[-1] == "s7: the page has no room left for it"


def test_what_cannot_fit_into_a_page_is_refused_in_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="do not fit into a page of 25 MB"):
        looking.pack_scenes(small_scenes(1), -1)
    data = {"kind": "view", "title": "", "lead": "", "scenes": []}
    monkeypatch.setattr("specrec.report.page.PAGE_BYTES", 1000)
    with pytest.raises(SpecrecError, match="a page has"):
        write_page(tmp_path / "page.html", "long", data)
    assert not (tmp_path / "page.html").exists()
