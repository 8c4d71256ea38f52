"""Which photos are meant, and that no two cubes ever go to one file."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specrec.errors import UsageError
from specrec.reconstruction.outputs import Found, find_photos, name_outputs


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.jpg", "a.PNG", "notes.txt", "a.preview.png", "deep/c.tif", "deep/deeper/d.jpg"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def names(found: Found) -> list[str]:
    return [path.as_posix() for path in found.photos]


def test_files_keep_their_order_and_count_once() -> None:
    found = find_photos(["b.jpg", "a.PNG", "./b.jpg", "deep/../b.jpg", Path("b.jpg").absolute(), "absent.png"])
    assert names(found) == ["b.jpg", "a.PNG", "absent.png"]
    assert not found.one


def test_a_folder_stands_for_the_images_directly_inside() -> None:
    assert names(find_photos(["."])) == ["a.PNG", "b.jpg"]
    assert names(find_photos(["deep", "b.jpg", "."])) == ["deep/c.tif", "b.jpg", "a.PNG"]


def test_a_glob_stands_for_the_files_that_match_in_deeper_folders_too() -> None:
    assert names(find_photos(["*.[jP]*"])) == ["a.PNG", "b.jpg"]
    assert names(find_photos(["**/*.jpg"])) == ["b.jpg", "deep/deeper/d.jpg"]
    assert names(find_photos([f"{Path.cwd()}/deep/*.tif"])) == [(Path.cwd() / "deep/c.tif").as_posix()]


def test_links_that_lead_back_are_gone_through_once() -> None:
    Path("deep/linked").mkdir()
    Path("deep/linked/e.jpg").touch()
    for name, target in (("back", "."), ("here", "."), ("deep/up", ".."), ("first", "deep/linked")):
        Path(name).symlink_to(target)
    expected = ["b.jpg", "deep/deeper/d.jpg", "deep/linked/e.jpg"]
    assert names(find_photos(["**/*.jpg"])) == expected
    assert names(find_photos([f"{Path.cwd()}/**/[de].jpg"])) == [f"{Path.cwd()}/{name}" for name in expected[1:]]
    assert names(find_photos(["deep/**/d.*"])) == ["deep/deeper/d.jpg"]
    assert names(find_photos(["**/deeper/**/*.jpg"])) == ["deep/deeper/d.jpg"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file() -> None:
    Path("x[1].jpg").touch()
    Path("x1.jpg").touch()
    assert names(find_photos(["x[1].jpg"])) == ["x[1].jpg"]


def test_previews_of_earlier_runs_are_left_out_unless_one_is_all_that_is_named() -> None:
    found = find_photos(["b.jpg", "a.preview.png"])
    assert (names(found), found.previews) == (["b.jpg"], 1)
    assert names(find_photos(["a.preview.png"])) == ["a.preview.png"]
    Path("only").mkdir()
    Path("only/x.preview.png").touch()
    with pytest.raises(UsageError, match="only: there are only previews of earlier runs"):
        find_photos(["only"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("nothing*.jpg", r"no file matches nothing\*\.jpg"),
        ("empty", r"no images in the folder empty; their suffixes are \.\w+, "),
        ("", "an input is empty; name a photo, a folder or a pattern"),
    ],
)
def test_what_stands_for_no_photo_is_one_sentence(given: str, words: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(UsageError, match=words):
        find_photos(["b.jpg", given])


def targets(inputs: list[str], output: str | None = None, form: str | None = None, **more: bool) -> list[str]:
    found = find_photos(inputs)
    return [work.target.as_posix() for work in name_outputs(found, Path(output) if output else None, form, **more)]


def test_one_photo_goes_to_its_stem_a_file_or_a_folder() -> None:
    assert targets(["deep/c.tif"]) == ["c.h5"]
    assert targets(["b.jpg"], form="envi") == ["b.hdr"]
    assert targets(["b.jpg"], "out.mat") == ["out.mat"]
    assert targets(["b.jpg"], "deep") == ["deep/b.h5"]
    assert targets(["b.jpg"], "new", is_folder=True) == ["new/b.h5"]
    assert targets(["b.jpg"], "new") == ["new/b.h5"]  # as for several photos, and for a pattern that matches but one
    assert targets(["b.jpg"], "new", "envi") == ["new/b.hdr"]
    with pytest.raises(UsageError, match=r"out\.xyz has the suffix '\.xyz'"):
        targets(["b.jpg"], "out.xyz")
    with pytest.raises(UsageError, match=r"out\.h5 ends like hdf5, and npy was asked for"):
        targets(["b.jpg"], "out.h5", "npy")


def test_several_photos_go_to_a_folder() -> None:
    assert targets(["a.PNG", "b.jpg"], "new", "netcdf") == ["new/a.nc", "new/b.nc"]
    assert targets(["deep"], "new") == ["new/c.h5"]  # a folder may hold more tomorrow
    for name in ("out.h5", "notes.txt"):
        with pytest.raises(UsageError, match=f"{name} is one file and the cubes of several photos need a folder"):
            targets(["a.PNG", "b.jpg"], name)


def test_an_unknown_form_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown format 'hdf'; did you mean 'hdf5'\?"):
        targets(["a.PNG", "b.jpg"], form="hdf")


def test_photos_of_one_stem_keep_their_full_names() -> None:
    Path("a.jpg").touch()
    assert targets(["a.jpg", "a.PNG", "b.jpg"]) == ["a.jpg.h5", "a.PNG.h5", "b.h5"]


def test_photos_of_one_name_are_refused_with_both_of_them() -> None:
    Path("deep/b.jpg").touch()
    with pytest.raises(UsageError, match=r"the cubes of b\.jpg and deep/b\.jpg would both be new/b\.jpg\.h5"):
        targets(["b.jpg", "deep/b.jpg"], "new")
    for name in ("a.png", "a.jpg", "a.jpg.jpg"):
        Path(name).touch()
    with pytest.raises(UsageError, match=r"the cubes of a\.jpg and a\.jpg\.jpg would both be a\.jpg\.h5"):
        targets(["a.png", "a.jpg", "a.jpg.jpg"])


def test_a_cube_never_replaces_a_photo() -> None:
    Path("c.tif").touch()
    assert targets(["c.tif", "b.jpg"], form="tiff") == ["c.tif.tif", "b.tif"]
    assert targets(["c.tif"], form="tiff") == ["c.tif.tif"]
    Path("c.tif.tif").touch()
    with pytest.raises(UsageError, match=r"the cube of c\.tif would replace the photo c\.tif\.tif"):
        targets(["c.tif", "c.tif.tif"], form="tiff")


def test_a_cube_never_replaces_a_photo_that_is_reached_through_a_link() -> None:
    Path("out").mkdir()
    Path("in").mkdir()
    Path("out/a.tif").touch()
    Path("in/a.jpg").touch()
    Path("in/b.tif").symlink_to("../out/a.tif")
    assert targets(["in"], "out", "tiff") == ["out/a.jpg.tif", "out/b.tif"]
    Path("out/a.jpg.tif").touch()
    Path("in/c.tif").symlink_to("../out/a.jpg.tif")
    with pytest.raises(
        UsageError, match=r"the cube of in/a\.jpg would replace the photo in/c\.tif, which is out/a\.jpg"
    ):
        targets(["in"], "out", "tiff")
    with pytest.raises(UsageError, match=r"out/a\.tif is the photo itself; choose another name for its cube"):
        targets(["in/b.tif"], "out/a.tif")


def test_no_file_of_envi_replaces_a_photo() -> None:
    Path("x.img").symlink_to("b.jpg")
    assert targets(["b.jpg"], "x.h5") == ["x.h5"]
    with pytest.raises(UsageError, match=r"x\.img is the photo itself"):
        targets(["b.jpg"], "x.hdr")
    Path("x.png").touch()
    assert targets(["x.png", "b.jpg"], form="envi") == ["x.png.hdr", "b.hdr"]


def test_hidden_files_are_no_photos_unless_they_are_named() -> None:
    for name in ("deep/._c.tif", "deep/.hidden.jpg"):
        Path(name).touch()
    assert names(find_photos(["deep"])) == ["deep/c.tif"]
    assert names(find_photos(["deep/*.*"])) == ["deep/c.tif"]
    assert names(find_photos(["deep/[.c]*"])) == ["deep/c.tif"]
    assert names(find_photos(["deep/._c.tif"])) == ["deep/._c.tif"]
    with pytest.raises(UsageError, match=r"no file matches deep/\.\*"):
        find_photos(["deep/.*"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "x/", "y/"]), st.sampled_from(["a", "b", "a.png", "a.tif"]),
            st.sampled_from([".png", ".jpg", ".tif", ""]),
        ),
        min_size=1, unique=True,
    ),
    st.sampled_from([None, "tiff", "hdf5"]),
    st.sampled_from([None, "x", "out"]),
)  # fmt: skip
def test_whatever_the_names_no_two_cubes_share_a_file_and_none_is_a_photo(
    parts: list[tuple[str, str, str]], form: str | None, output: str | None
) -> None:
    photos = [Path("".join(part)) for part in parts]
    try:
        works = name_outputs(Found(photos, False), None if output is None else Path(output), form)
    except UsageError:
        return
    places = [os.path.normpath(work.target) for work in works]
    assert len(set(places)) == len(photos)
    assert not set(places) & {os.path.normpath(photo) for photo in photos}
    assert [work.photo for work in works] == photos
