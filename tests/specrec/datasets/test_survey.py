import hashlib
import json
import os
from dataclasses import asdict, replace

import numpy as np
import pytest

from specrec.cubes import write_cube
from specrec.datasets.contact_sheet import contact_sheet, thumbnail
from specrec.datasets.folder import FolderSource
from specrec.datasets.survey import SceneFacts, examine, survey
from specrec.datasets.unchanged import found_of, open_unchanged
from specrec.errors import DataError
from specrec.interfaces import SceneSource
from specrec.parameters import Parameter
from specrec.rendering import render
from specrec.scenes import Scene
from specrec.spectra import WAVELENGTHS


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPECREC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "surveys"


def some_cube(height=6, width=5, bands=31, seed=0):
    return np.random.default_rng(seed).random((height, width, bands), dtype=np.float32)


class MadeSource(SceneSource):
    """Scenes from memory, which counts how often each is read."""

    name = "made"
    summary = "for tests"
    quantity = "radiance"
    parameters = {"brightness": Parameter(1.0, "factor")}  # noqa: RUF012 - as a plugin would write it

    def __init__(self, cubes, masks=None, **given):
        super().__init__(None, **given)
        self.cubes, self.masks, self.read = cubes, masks or {}, []

    def names(self):
        return sorted(self.cubes)

    def open(self, name):
        cube = self.cubes[name]

        def read(window):
            self.read.append(name)
            return cube if window is None else cube[window.slices]

        mask = self.masks.get(name)
        return Scene(name, cube.shape, WAVELENGTHS, "radiance", f"seed of {name}", read, mask and (lambda: mask))


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "cubes"
    for seed, name in enumerate(["a", "b", "c"]):
        write_cube(root / f"{name}.h5", some_cube(seed=seed), WAVELENGTHS, {"quantity": "reflectance"})
    return root


def test_the_facts_of_a_scene_are_those_of_its_valid_pixels():
    cube = some_cube()
    cube[0, 0] = 9.0
    cube[1, 1, :3] = 0.0
    mask = np.ones((6, 5), dtype=bool)
    mask[0] = False
    scene = Scene("one", (6, 5, 31), WAVELENGTHS, "radiance", "here", lambda _: cube, lambda: mask)
    facts = examine(scene, cube)
    digest = hashlib.sha256(cube.tobytes() + mask.tobytes()).hexdigest()
    low, high = scene.extent
    assert facts == SceneFacts(
        "one", (6, 5, 31), tuple(range(400, 701, 10)), "radiance", low, high, 25, 3 / (25 * 31), digest
    )
    assert low == 0.0
    assert high == cube[1:].max() < 1.0


def test_memory_layout_does_not_change_the_facts():
    cube = some_cube()
    scene = MadeSource({"one": cube}).open("one")
    assert examine(scene, np.asfortranarray(cube)) == examine(scene, cube)


def test_facts_go_through_json():
    facts = examine(MadeSource({"one": some_cube()}).open("one"), some_cube())
    back = json.loads(json.dumps(asdict(facts)))
    assert back["shape"] == [6, 5, 31]
    assert (back["low"], back["high"]) == (facts.low, facts.high)


def test_the_same_content_under_two_names_has_one_hash():
    source = MadeSource({"one": some_cube(), "two": some_cube(), "three": some_cube(seed=1)})
    facts = survey(source, source.names()).facts
    assert facts["one"].sha256 == facts["two"].sha256 != facts["three"].sha256


def test_a_known_extent_spares_the_reading():
    source = MadeSource({"one": some_cube()})
    facts = survey(source, ["one"]).facts["one"]
    source.read.clear()
    scene = open_unchanged(source, "one", found_of(facts), "the test")
    assert scene.extent == (float(some_cube().min()), float(some_cube().max()))
    assert source.read == []


def with_value(value, where=(2, 3, 4)):
    cube = some_cube()
    cube[where] = value
    return cube


def test_every_kind_of_damage_is_found_and_the_rest_is_still_surveyed():
    source = MadeSource(
        {
            "constant": np.full((6, 5, 31), 0.25, dtype=np.float32),
            "infinite": with_value(np.inf),
            "nan": with_value(np.nan),
            "thirty": some_cube(bands=30),
            "whole": some_cube(),
        }
    )
    found = survey(source, source.names())
    assert list(found.facts) == ["whole"]
    assert set(found.damaged) == {"constant", "infinite", "nan", "thirty"}
    assert "every valid value is 0.25" in found.damaged["constant"]
    assert "NaN or infinity, first at row 2, column 3, band 4" in found.damaged["nan"]
    assert "NaN or infinity" in found.damaged["infinite"]
    assert "30 bands and there are 31 wavelengths" in found.damaged["thirty"]
    assert all(name in sentence for name, sentence in found.damaged.items())


def test_a_scene_without_valid_pixels_or_with_another_shape_is_damaged():
    cube = some_cube()
    dark = Scene("dark", (6, 5, 31), WAVELENGTHS, "radiance", "here", lambda _: cube, lambda: np.zeros((6, 5), bool))
    with pytest.raises(DataError, match=r"dark .* no pixel of the scene is valid"):
        examine(dark, cube)
    with pytest.raises(DataError, match=r"promised \(6, 5, 31\), read \(5, 5, 31\)"):
        examine(MadeSource({"one": cube}).open("one"), cube[1:])


def test_truncated_and_missing_files_are_named(folder):
    source = FolderSource(folder)
    assert source.names() == ["a", "b", "c"]
    (folder / "b.h5").write_bytes((folder / "b.h5").read_bytes()[:-100])
    (folder / "c.h5").unlink()
    found = survey(source, source.names())
    assert list(found.facts) == ["a"]
    assert "b.h5: the file is truncated" in found.damaged["b"]
    assert "c.h5" in found.damaged["c"]


def test_a_second_look_reads_nothing(cache):
    source = MadeSource({"one": some_cube(), "two": some_cube(seed=1)})
    first = survey(source, source.names())
    assert source.read == ["one", "two"]
    assert survey(source, source.names()) == first
    assert source.read == ["one", "two"]
    assert len(list(cache.iterdir())) == 2


def test_other_settings_or_another_recipe_are_read_anew():
    source = MadeSource({"one": some_cube()})
    survey(source, ["one"])
    brighter = MadeSource({"one": some_cube() * 2}, brightness=2.0)
    assert survey(brighter, ["one"]).facts["one"].high > 1.0
    changed = MadeSource({"one": some_cube(seed=3)})
    genuine = changed.open
    changed.open = lambda name: replace(genuine(name), provenance="another seed")
    assert survey(changed, ["one"]).facts["one"].high == some_cube(seed=3).max()


def test_a_file_that_changed_is_read_anew(folder):
    source = FolderSource(folder)
    before = survey(source, ["a"]).facts["a"]
    write_cube(folder / "a.h5", some_cube(seed=9), WAVELENGTHS, {"quantity": "reflectance"}, overwrite=True)
    os.utime(folder / "a.h5", ns=(1, 1))
    assert survey(source, ["a"]).facts["a"].sha256 != before.sha256


def test_damage_is_looked_for_again_after_a_repair(folder):
    whole = (folder / "a.h5").read_bytes()
    (folder / "a.h5").write_bytes(whole[:1000])
    source = FolderSource(folder)
    assert "a" in survey(source, ["a"]).damaged
    (folder / "a.h5").write_bytes(whole)
    assert "a" in survey(source, ["a"]).facts


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": "one"}', b"\xff\xfe", b"null"])
def test_a_corrupt_cache_entry_is_ignored(cache, content):
    source = MadeSource({"one": some_cube()})
    first = survey(source, ["one"])
    [entry] = cache.iterdir()
    entry.write_bytes(content)
    assert survey(source, ["one"]) == first
    assert source.read == ["one", "one"]
    assert json.loads(entry.read_text())["name"] == "one"


def test_an_entry_of_another_scene_is_ignored(cache):
    source = MadeSource({"one": some_cube()})
    first = survey(source, ["one"])
    [entry] = cache.iterdir()
    entry.write_text(entry.read_text().replace('"one"', '"two"'))
    assert survey(source, ["one"]) == first


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SPECREC_CACHE", str(tmp_path / "file"))
    found = survey(MadeSource({"one": some_cube()}), ["one"])
    assert list(found.facts) == ["one"]
    assert "the survey of one is not cached" in caplog.text


def test_a_visit_sees_every_scene_whatever_is_cached():
    source = MadeSource({"one": some_cube(), "bad": with_value(np.nan)})
    survey(source, source.names())
    seen = []
    survey(source, source.names(), visit=lambda scene, cube, facts: seen.append((scene.name, cube.shape, facts.high)))
    assert seen == [("one", (6, 5, 31), float(some_cube().max()))]


def test_progress_runs_from_nothing_to_one():
    said = []
    source = MadeSource({"one": some_cube(), "two": some_cube(seed=1)})
    survey(source, source.names(), lambda fraction, words: said.append((fraction, words)))
    assert said == [(0.0, "one"), (0.5, "two"), (1.0, "2 scenes")]
    assert survey(source, []).facts == {}


def test_a_thumbnail_is_the_rendered_scene_made_small():
    cube = np.zeros((40, 20, 31), dtype=np.float32)
    cube[:20] = 0.5
    mask = np.ones((40, 20), dtype=bool)
    mask[30:] = False
    cube[30:] = 7.0
    picture = thumbnail(cube, mask, WAVELENGTHS, (0.0, 1.0), side=8)
    assert picture.shape == (8, 4, 3)
    np.testing.assert_array_equal(picture[0, 0], render(np.full((1, 1, 31), 0.5))[0, 0])
    assert not picture[4:].any()


def test_a_thumbnail_off_the_standard_grid_is_grey():
    cube = np.dstack([np.zeros((4, 4)), np.ones((4, 4))]).astype(np.float32)
    picture = thumbnail(cube, np.ones((4, 4), dtype=bool), np.array([500.0, 600.0]), (0.0, 1.0), side=4)
    assert (picture == 128).all()


def test_a_contact_sheet_holds_every_picture_and_a_name_that_is_too_long():
    pictures = [
        (f"scene {index} " + "with a long name " * index, np.full((10, 20, 3), 40 * index + 50, np.uint8))
        for index in range(5)
    ]
    sheet = contact_sheet(pictures, side=20)
    for _, picture in pictures:
        assert (sheet == picture[0, 0]).all(axis=2).sum() >= 200
    assert sheet.dtype == np.uint8
