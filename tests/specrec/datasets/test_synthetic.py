"""The data set itself: names, options, determinism, windows, masks and the cache."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from specrec.datasets.synthetic.recipe import Recipe
from specrec.datasets.synthetic.source import SyntheticSource, cached_file
from specrec.errors import SpecrecError, UsageError
from specrec.scenes import TrainingScene, Window

SMALL = 64


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SPECREC_CACHE", str(folder))
    return folder


def cube(**options):
    source = SyntheticSource(size=SMALL, scenes=1, **options)
    return source.open(source.names()[0]).cube()


def test_names_are_stable_and_say_world_scene_and_exposure():
    assert SyntheticSource(scenes=2).names() == ["world0-scene000", "world0-scene001"]
    assert SyntheticSource(scenes=1, first=7, texture_link=False, world=3).names() == ["null3-scene007"]
    assert SyntheticSource(scenes=1, spectra="broad", exposure="0.25").names() == ["broad0-scene000-x0.25"]
    assert SyntheticSource(scenes=1, spectra="broad", texture_link=False).names() == ["broadnull0-scene000"]
    assert len(SyntheticSource().names()) == 40


def test_scenes_take_the_worlds_in_turn():
    names = SyntheticSource(world=5, worlds=2, scenes=3, first=4).names()
    assert names == ["world5-scene004", "world5-scene006", "world6-scene005"]


def test_a_range_of_exposures_gives_every_scene_its_own_and_stays_inside():
    names = SyntheticSource(exposure="0.25:4", scenes=60).names()
    drawn = np.array([float(name.rsplit("-x")[1]) for name in names])
    assert names == SyntheticSource(exposure="0.25:4", scenes=60).names()
    assert (drawn >= 0.25).all()
    assert (drawn <= 4).all()
    assert len(set(drawn)) > 50
    assert abs(np.log(drawn).mean()) < 0.35


@pytest.mark.parametrize("exposure", ["", "0", "-1", "4:0.25", "1:2:3", "bright", "nan", "inf", "0.001", "1:"])
def test_an_exposure_that_is_none_is_a_usage_error(exposure):
    with pytest.raises(UsageError, match=r"synthetic\[exposure\]"):
        SyntheticSource(exposure=exposure)


@pytest.mark.parametrize(
    "options", [{"worlds": 0}, {"size": 8}, {"scenes": 0}, {"first": -1}, {"spectra": "narrow"}, {"wrld": 1}]
)
def test_options_out_of_range_are_usage_errors(options):
    with pytest.raises(UsageError, match="synthetic"):
        SyntheticSource(**options)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="leave the folder out"):
        SyntheticSource(tmp_path)


def test_an_unknown_scene_is_a_usage_error_that_suggests_one():
    with pytest.raises(UsageError, match="did you mean 'world0-scene001'"):
        SyntheticSource(scenes=2).open("world0-scen001")


def test_the_same_options_give_the_same_bits_again(cache):
    first = cube()
    shutil.rmtree(cache)
    assert np.array_equal(first, cube())


@pytest.mark.parametrize(
    "options",
    [{"world": 1}, {"first": 1}, {"texture_link": False}, {"spectra": "broad"}, {"exposure": "2"}],
    ids=lambda options: next(iter(options)),
)
def test_every_option_that_should_change_the_scene_does(options):
    assert not np.array_equal(cube(), cube(**options))


def test_the_number_of_scenes_does_not_change_a_scene():
    few, many = SyntheticSource(size=SMALL, scenes=1), SyntheticSource(size=SMALL, scenes=9)
    assert few.open("world0-scene000").provenance == many.open("world0-scene000").provenance
    assert np.array_equal(few.open("world0-scene000").cube(), many.open("world0-scene000").cube())


def test_a_cube_holds_12_bit_counts_over_4095():
    values = cube()
    assert values.dtype == np.float32
    counts = values.astype(np.float64) * 4095
    assert np.abs(counts - np.rint(counts)).max() < 1e-3
    assert values.max() == 1.0
    assert values.min() == 0.0


def test_a_window_equals_that_part_of_the_whole():
    scene = SyntheticSource(size=SMALL, scenes=1).open("world0-scene000")
    window = Window(5, 40, 20, 24)
    assert np.array_equal(scene.cube(window), scene.cube()[window.slices])
    with pytest.raises(ValueError, match="does not lie inside"):
        scene.cube(Window(50, 0, 20, 10))


def test_the_border_is_zero_is_masked_and_is_all_that_is_masked():
    source = SyntheticSource(size=128, scenes=12, exposure="0.01")  # so dark that pixels would vanish
    widths = []
    for name in source.names():
        scene = source.open(name)
        width = int((~scene.mask[0]).sum())
        widths.append(width)
        assert scene.mask[:, : 128 - width].all()
        assert not scene.mask[:, 128 - width :].any()
        assert not scene.cube()[:, 128 - width :].any()
    assert max(widths) <= 7
    assert len(set(widths)) > 2


def test_the_black_cloth_of_broad_scenes_is_valid_too():
    source = SyntheticSource(size=SMALL, scenes=12, spectra="broad", exposure="0.25")
    for name in source.names():
        valid_columns = source.open(name).mask.any(axis=0)
        assert source.open(name).mask[:, valid_columns].all()


def test_exposure_doubles_what_is_not_saturated():
    dim, bright = cube(exposure="0.25"), cube(exposure="0.5")
    middle = (dim > 0.02) & (bright < 1.0)
    ratio = bright[middle] / dim[middle]
    assert middle.mean() > 0.3
    assert abs(float(np.median(ratio)) - 2.0) < 0.02
    assert (cube(exposure="4") == 1.0).mean() > 0.05 > (dim == 1.0).mean()


def test_the_brightest_of_a_scene_is_near_full_scale():
    brightest = SyntheticSource(scenes=1).open("world0-scene000").cube().max(axis=-1)
    assert 0.9 < np.percentile(brightest, 99.7) <= 1.0
    assert (brightest == 1.0).mean() < 0.01


@pytest.mark.parametrize("spectra", ["world", "broad"])
def test_a_scene_can_be_scaled_and_rendered_as_the_protocol_does(spectra):
    source = SyntheticSource(size=SMALL, scenes=1, spectra=spectra)
    scene = TrainingScene(source.open(source.names()[0]))
    rgb = scene.rgb()
    assert np.isfinite(rgb).all()
    assert 0.1 < rgb[scene.mask].mean() < 0.7
    assert rgb[scene.mask].std() > 0.05


def damaged(content: bytes) -> list[bytes]:
    flipped = bytearray(content)
    flipped[20] ^= 0xFF
    return [b"", b"not an array at all", content[:-1], content + b"\0", bytes(flipped), content[:50]]


def test_a_damaged_cached_scene_is_made_again():
    recipe = Recipe(0, 0, size=SMALL)
    whole, path = cube(), cached_file(recipe)
    content = path.read_bytes()
    for wrong in damaged(content):
        path.write_bytes(wrong)
        assert np.array_equal(cube(), whole)
        assert path.read_bytes() == content


def test_prepare_makes_what_is_missing_and_reports():
    source = SyntheticSource(size=SMALL, scenes=3)
    heard: list[tuple[float, str]] = []
    source.prepare(source.names()[:2], lambda fraction, words: heard.append((fraction, words)))
    files = [cached_file(Recipe(0, index, size=SMALL)) for index in range(3)]
    assert [file.exists() for file in files] == [True, True, False]
    assert heard[0] == (0.0, "world0-scene000")
    assert heard[-1][0] == 1.0
    before = files[0].stat().st_mtime_ns
    source.prepare(source.names()[:1])
    assert files[0].stat().st_mtime_ns == before


def test_opening_reads_and_makes_nothing(cache):
    source = SyntheticSource(scenes=5)
    scenes = [source.open(name) for name in source.names()]
    assert [scene.shape for scene in scenes] == [(256, 256, 31)] * 5
    assert scenes[0].provenance.startswith("synthetic recipe")
    assert not list(cache.iterdir())


def test_a_cache_folder_that_cannot_be_written_is_one_sentence(cache, monkeypatch):
    (cache / "file").write_text("in the way")
    monkeypatch.setenv("SPECREC_CACHE", str(cache / "file"))
    with pytest.raises(SpecrecError, match="cannot write into"):
        cube()


def test_source_and_scenes_can_be_sent_to_another_process():
    source = SyntheticSource(size=SMALL, scenes=1)
    scene = pickle.loads(pickle.dumps(source.open(source.names()[0])))
    assert np.array_equal(scene.cube(), cube())
    assert pickle.loads(pickle.dumps(source)).names() == source.names()


def test_scenes_of_two_sizes_do_not_share_a_file():
    assert cached_file(Recipe(0, 0, size=64)) != cached_file(Recipe(0, 0, size=128))
    assert cached_file(Recipe(0, 0)).parent == cached_file(Recipe(0, 1, exposure=2.0)).parent
    assert isinstance(cached_file(Recipe(0, 0)), Path)
