import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.cache import cache_folder
from specrec.errors import SpecrecError, UsageError
from specrec.interfaces import silent
from specrec.scenes import Scene, TrainingScene, Window
from specrec.training.crops import Crops
from specrec.training.prepared import Crop, PreparedScene, exact_codes, fill, fingerprint, prepare
from specrec.training.resident import Resident


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPECREC_CACHE", str(tmp_path))
    return tmp_path


def counted(scene: Scene, full_scale: int) -> Scene:
    """The same scene as a camera would store it: counts over their full scale."""
    cube = scene.cube()
    counts = np.rint(cube / cube.max() * min(full_scale, 4095)).astype(np.uint16)
    values = np.divide(counts, np.float32(full_scale), dtype=np.float32)
    return replace(scene, read=lambda window: values if window is None else values[window.slices])


def crop(scene: PreparedScene, window: Window, flipped: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rgb, cube = (torch.empty(1, window.height, window.width, bands) for bands in (3, scene.cube.shape[2]))
    fill([Crop(scene, window, flipped)], rgb, cube)
    return rgb[0].numpy(), cube[0].numpy()


@pytest.mark.parametrize("full_scale", [1, 255, 4095, 65535, None])
@pytest.mark.parametrize("options", [{}, {"scaling": "none"}, {"input": "linear"}, {"quantisation": "none"}], ids=str)
def test_a_crop_is_to_the_last_bit_what_the_scene_gives(
    cache: Path, make_scene: Callable[..., Scene], full_scale: int | None, options: dict[str, str]
) -> None:
    scene = make_scene("scene", 40, 48, 0)
    scene = scene if full_scale is None else counted(scene, full_scale)
    view = TrainingScene(scene, **options)
    (prepared,) = prepare([view], silent)
    assert prepared.cube.dtype == (torch.float32 if full_scale is None else torch.uint16)
    assert prepared.rgb.dtype == (torch.float32 if {"input", "quantisation"} & set(options) else torch.uint8)
    for window in (Window(0, 0, 40, 48), Window(3, 16, 32, 32), Window(39, 47, 1, 1)):
        rgb, cube = crop(prepared, window)
        np.testing.assert_array_equal(cube, 2 * view.cube(window) - 1)
        np.testing.assert_array_equal(rgb, 2 * view.rgb(window) - 1)
        flipped = crop(prepared, window, flipped=True)
        for mirrored, plain in zip(flipped, (rgb, cube), strict=True):
            np.testing.assert_array_equal(mirrored, plain[:, ::-1])


def test_crops_of_scenes_of_different_ranges_stand_side_by_side(cache: Path, make_scene: Callable[..., Scene]) -> None:
    one, two, three = (make_scene(f"scene{index}", 40 - index, 48, index) for index in range(3))
    views = [TrainingScene(scene) for scene in (counted(one, 4095), two, counted(three, 1))]
    window = Window(0, 4, 32, 32)
    rgb, cube = torch.empty(3, 32, 32, 3), torch.empty(3, 32, 32, 31)
    fill([Crop(scene, window) for scene in prepare(views, silent)], rgb, cube)
    for row, view in enumerate(views):
        np.testing.assert_array_equal(cube[row].numpy(), 2 * view.cube(window) - 1)
        np.testing.assert_array_equal(rgb[row].numpy(), 2 * view.rgb(window) - 1)


@pytest.mark.parametrize("full_scale", [4095, 65535, None])
@pytest.mark.parametrize("options", [{}, {"quantisation": "none"}], ids=str)
@pytest.mark.parametrize("black", [True, False], ids=["with a mask", "without"])
def test_crops_gathered_at_once_are_those_taken_one_by_one(
    cache: Path, make_scene: Callable[..., Scene], full_scale: int | None, options: dict[str, str], black: bool
) -> None:
    scenes = [make_scene(f"scene{index}", 40 + index, 48 - index, index) for index in range(3)]
    if not black:
        scenes = [replace(one, read_mask=lambda shape=one.shape: np.ones(shape[:2], np.bool_)) for one in scenes]
    views = [TrainingScene(one if full_scale is None else counted(one, full_scale), **options) for one in scenes]
    prepared = prepare(views, silent)
    resident = Resident(prepared, torch.device("cpu"))
    rng = np.random.default_rng(0)
    for height, width in ((32, 32), (1, 1), (40, 46)):
        wanted = []
        for scene in [*prepared, prepared[1]]:
            top, left = (
                int(rng.integers(side - size + 1)) for side, size in zip(scene.size, (height, width), strict=True)
            )
            wanted.append(Crop(scene, Window(top, left, height, width), bool(rng.random() < 0.5)))
        one, two = ([torch.empty(4, height, width, bands) for bands in (3, 31)] for _ in range(2))
        fill(wanted, *one)
        resident.fill(wanted, *two)
        for these, those in zip(one, two, strict=True):
            assert torch.equal(these, those)


@given(st.lists(st.floats(0, 70000, width=32), min_size=1, max_size=20), st.sampled_from([1, 255, 4095, 65535]))
@settings(deadline=None)
def test_codes_are_given_only_where_they_give_back_every_value(values: list[float], full_scale: int) -> None:
    for some in (np.float32(values), np.rint(np.float32(values)) / np.float32(full_scale)):
        found = exact_codes(some)
        if found is not None:
            codes, found_scale = found
            np.testing.assert_array_equal(np.divide(codes, np.float32(found_scale), dtype=np.float32), some)
    whole = np.float32([0, 1, full_scale])
    assert exact_codes(whole / np.float32(full_scale)) is not None


@pytest.mark.parametrize("value", [-1.0, 65536.0, np.nan, np.inf, 0.1234567])
def test_values_that_have_no_codes_get_none(value: float) -> None:
    assert exact_codes(np.float32([0.0, value])) is None


def test_one_value_that_fits_no_code_is_found_wherever_it_is() -> None:
    values = np.zeros((200, 200, 3), np.float32)
    values[101, 57, 1] = np.float32(1e-7)  # between the samples that are tried first
    assert exact_codes(values) is None


def test_a_scene_is_read_once_and_then_found_by_what_a_survey_knows(
    cache: Path, make_scene: Callable[..., Scene]
) -> None:
    reads = []
    plain = make_scene("scene", 40, 48, 0)

    def read(window: Window | None) -> np.ndarray:
        reads.append(window)
        return plain.cube(window)

    known = replace(plain, read=read, known_extent=plain.extent, content="a" * 64)
    first = Crops([TrainingScene(known)], 16).next()
    assert reads.count(None) == 1
    reads.clear()
    second = Crops([TrainingScene(known)], 16).next()
    assert reads == []
    assert torch.equal(first.cube, second.cube)


@pytest.mark.parametrize("part", ["cube.npy", "rgb.npy", "mask.npy", "facts.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "other"])
def test_a_prepared_scene_that_is_not_whole_is_made_again(
    cache: Path, training_scenes: list[TrainingScene], part: str, damage: str
) -> None:
    before = Crops(training_scenes, 16).next()
    path = cache / "crops" / fingerprint(training_scenes[0]) / part
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"other " + content)
    after = Crops(training_scenes, 16).next()
    assert torch.equal(before.cube, after.cube)
    assert json.loads((path.parent / "facts.json").read_text())["scene"] == "scene0"


def test_processes_that_want_one_scene_make_it_once(
    cache: Path, training_scenes: list[TrainingScene], monkeypatch: pytest.MonkeyPatch
) -> None:
    from specrec.training import prepared

    made: list[str] = []
    make = prepared._make

    def counting(scene: TrainingScene, folder: Path) -> None:
        time.sleep(0.05)
        made.append(scene.name)
        make(scene, folder)

    monkeypatch.setattr(prepared, "_make", counting)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: prepare(training_scenes, silent), range(4)))
    assert sorted(made) == ["scene0", "scene1", "scene2"]
    assert {len(scenes) for scenes in found} == {3}


def test_what_a_killed_process_had_begun_to_write_goes(cache: Path, training_scenes: list[TrainingScene]) -> None:
    folder = cache / "crops" / fingerprint(training_scenes[0])
    folder.mkdir(parents=True)
    (folder / ".cube-abc.npy").write_bytes(b"half")
    prepare(training_scenes, silent)
    names = {path.name for path in folder.iterdir()} - {"lock"}
    assert names == {"cube.npy", "facts.json", "mask.npy", "rgb.npy"}


def test_a_prepared_scene_that_is_taken_away_meanwhile_is_an_error(
    cache: Path, training_scenes: list[TrainingScene], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specrec.training.prepared._make", lambda _scene, _folder: None)
    with pytest.raises(SpecrecError, match="the prepared scene scene0 is gone"):
        prepare(training_scenes, silent)


def test_what_decides_the_numbers_decides_the_fingerprint(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene("scene", 40, 48, 0)
    low, high = scene.extent
    views = [
        TrainingScene(scene),
        TrainingScene(scene, "none"),
        TrainingScene(scene, quantisation="truncate"),
        TrainingScene(scene, input="linear"),
        TrainingScene(replace(scene, known_extent=(low, 2 * high))),
        TrainingScene(make_scene("scene", 40, 48, 1)),
        TrainingScene(replace(scene, read_mask=None)),
        TrainingScene(replace(scene, wavelengths=scene.wavelengths + 1)),
    ]
    assert len({fingerprint(view) for view in views}) == len(views)
    assert fingerprint(TrainingScene(replace(scene, name="another"))) == fingerprint(views[0])


def test_too_little_room_is_said_before_anything_is_written(
    cache: Path, training_scenes: list[TrainingScene], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": 1000})())
    with pytest.raises(
        SpecrecError, match=r"the crops of 3 scenes need [67][0-9.]* kB and .*crops has 1\.0 kB free.*SPECREC_CACHE"
    ):
        Crops(training_scenes, 16)
    assert not (cache / "crops").exists()


def test_the_room_that_was_needed_is_the_room_that_is_taken(
    cache: Path, training_scenes: list[TrainingScene], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr("specrec.training.prepared.check_room", lambda _f, needed, *_: asked.append(needed) or 10**12)
    told: list[str] = []
    Crops(training_scenes, 16, progress=lambda done, words: told.append(f"{done} {words}"))
    taken = sum(path.stat().st_size for path in (cache_folder() / "crops").rglob("*.npy"))
    assert asked == [pytest.approx(taken, rel=0.01)]
    assert len(told) == 3
    assert told[1].startswith("0.0 preparing crops: scene 2 of 3, 0.00 GB of 1000.00 GB free in ")


def test_crops_are_aligned_in_range_and_every_scene_gives_one_per_epoch(training_scenes: list[TrainingScene]) -> None:
    crops = Crops(training_scenes, 16, 3, flips=True)
    for _ in range(5):
        rgb, cube, places = crops.next()
        assert rgb.shape == (3, 3, 16, 16)
        assert cube.shape == (3, 31, 16, 16)
        assert all(part.is_contiguous(memory_format=torch.channels_last) for part in (rgb, cube))
        assert rgb.abs().max() <= 1.0
        assert cube.abs().max() <= 1.0
        assert {place.split(",")[0] for place in places} == {"scene scene0", "scene scene1", "scene scene2"}
        for index in range(3):
            spectra = ((cube[index].permute(1, 2, 0) + 1) / 2).numpy()
            again = training_scenes[0].rgb_of(spectra)
            np.testing.assert_allclose(again, ((rgb[index].permute(1, 2, 0) + 1) / 2).numpy(), atol=1.01 / 255)


def test_a_place_names_the_crop(training_scenes: list[TrainingScene]) -> None:
    _, cube, (place,) = Crops(training_scenes, 16).next()
    name, row, column = (place.split()[index].rstrip(",") for index in (1, 5, 7))
    (scene,) = (scene for scene in training_scenes if scene.name == name)
    expected = 2 * scene.cube(Window(int(row), int(column), 16, 16)) - 1
    np.testing.assert_array_equal(cube[0].permute(1, 2, 0).numpy(), expected)


def test_a_stream_goes_on_where_it_was_left(training_scenes: list[TrainingScene]) -> None:
    one, two = (Crops(training_scenes, 16, 2, seed=seed, flips=True) for seed in (5, 6))
    for _ in range(4):
        one.next()
    two.restore(json.loads(json.dumps(one.state())))
    for _ in range(5):
        assert torch.equal(one.next().cube, two.next().cube)


def test_half_of_the_crops_are_mirrored_with_their_rgb(training_scenes: list[TrainingScene]) -> None:
    plain, mirrored = (Crops(training_scenes[:1], 40, flips=flips) for flips in (False, True))
    flipped = 0
    for _ in range(40):
        first, second = plain.next(), mirrored.next()
        places = (first.places, second.places)
        if places[0] != places[1]:  # the streams part where one draws a number more
            mirrored.restore(plain.state())
            continue
        flipped += not torch.equal(first.rgb, second.rgb)
        mirrored.restore(plain.state())
    assert 8 < flipped < 32


def test_the_median_spectrum_is_that_of_the_valid_pixels(training_scenes: list[TrainingScene]) -> None:
    spectra = np.concatenate([scene.cube()[::8, ::8][scene.mask[::8, ::8]] for scene in training_scenes])
    middle = np.sort(spectra, axis=0)[(len(spectra) - 1) // 2]
    np.testing.assert_allclose(Crops(training_scenes, 16).median_spectrum().numpy(), middle, atol=1e-6)


def test_a_crop_larger_than_a_scene_is_refused_before_anything_is_prepared(
    cache: Path, training_scenes: list[TrainingScene]
) -> None:
    with pytest.raises(UsageError, match="scene0 is 40 x 48, smaller than a crop of 64"):
        Crops(training_scenes, 64)
    assert not (cache / "crops").exists()
