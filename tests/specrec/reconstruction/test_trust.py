"""How far an estimate can be believed: the difference when rendered back, colours never trained on, and the preview."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import specrec
from specrec.cubes import FORMS, SUFFIXES, open_cube
from specrec.errors import DataError
from specrec.metrics.ciede2000 import ciede2000
from specrec.reconstruction import Choices, reconstruct_file, train
from specrec.reconstruction.preview import Preview, preview_path
from specrec.reconstruction.training_colours import MANY, SIDE, TrainingColours, colours_of, count_cells
from specrec.reconstruction.trust import Examination, Trust
from specrec.rendering import lab, srgb_to_xyz
from specrec.scenes import Scene, TrainingScene, Window
from specrec.weights import find, read_card

Make = Callable[..., Path]


def photo_and_cube(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    cube = rng.random((height, width, 31), dtype=np.float32)
    levels = specrec.render(cube).astype(int) + rng.integers(-9, 10, (height, width, 3))
    return (np.clip(levels, 0, 255) / 255).astype(np.float32), cube


def plain_differences(rgb: np.ndarray, cube: np.ndarray) -> np.ndarray:
    both = (np.rint(rgb.astype(float) * 255.0) / 255.0, specrec.render(cube) / 255.0)
    return ciede2000(*(lab(100 * srgb_to_xyz(colours)) for colours in both))


def test_the_difference_is_that_of_the_definition_whatever_the_tiles_and_threads() -> None:
    rgb, cube = photo_and_cube(90, 70)
    expected = plain_differences(rgb, cube)
    for tile, threads in ((90, 1), (32, 1), (32, 3)):
        examination = Examination(None, threads)
        for top in range(0, 90, tile):
            for left in range(0, 70, tile):
                part = slice(top, top + tile), slice(left, left + tile)
                found = examination.add(rgb[part], cube[part])[2]
                np.testing.assert_allclose(found, expected[part], rtol=1e-5, atol=1e-7)
        trust = examination.result()
        assert trust.mean == pytest.approx(expected.mean(), rel=1e-9)
        assert trust.p95 == pytest.approx(np.percentile(expected, 95), abs=0.02)
        assert (expected <= trust.p95).mean() >= 0.95
        assert trust.far is None


def test_blocks_of_large_tiles_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    rgb, cube = photo_and_cube(60, 50)
    whole = Examination(None)
    whole.add(rgb, cube)
    monkeypatch.setattr("specrec.reconstruction.trust._BLOCK", 400)
    for threads in (1, 3):
        parts = Examination(None, threads)
        parts.add(rgb, cube)
        assert parts.result().p95 == whole.result().p95
        assert parts.result().mean == pytest.approx(whole.result().mean, rel=1e-12)


def test_an_estimate_that_renders_to_the_photo_differs_by_nothing() -> None:
    cube = np.random.default_rng(0).random((9, 9, 31), dtype=np.float32)
    examination = Examination(None)
    examination.add((specrec.render(cube) / 255).astype(np.float32), cube)
    assert examination.result() == Trust(0.0, 0.0, None)


def test_black_against_white_is_the_largest_lightness() -> None:
    examination = Examination(None)
    examination.add(np.zeros((2, 2, 3), np.float32), np.ones((2, 2, 31), np.float32))
    found = examination.result()
    # a cube of ones is (255, 249, 244); colour-science 0.4 has 98.3908 between that and black
    assert found.mean == pytest.approx(98.391, abs=0.005)
    assert found.p95 == 98.39


@pytest.mark.parametrize("form", FORMS)
def test_a_cube_keeps_the_difference_where_its_form_keeps_attributes(
    write_photo: Make, linear_weights: Path, tmp_path: Path, form: str
) -> None:
    photo, target = write_photo("a.png"), tmp_path / f"a{SUFFIXES[form]}"
    done = reconstruct_file("linear", photo, target, choices=Choices(linear_weights, form=form, tiles="16"))
    assert done.trust is not None
    expected = plain_differences(specrec.read_image(photo), specrec.load("linear", linear_weights).reconstruct(
        specrec.read_image(photo)))  # fmt: skip
    assert done.trust.mean == pytest.approx(expected.mean(), rel=1e-6)
    with open_cube(target) as stored:
        kept = {key: value for key, value in stored.attributes.items() if key.startswith("rerendering")}
    if form == "npy":
        assert kept == {}
    else:
        assert kept == pytest.approx(
            {"rerendering_ciede2000_mean": done.trust.mean, "rerendering_ciede2000_p95": done.trust.p95}
        )


def test_the_difference_is_summed_up_once_a_photo(
    write_photo: Make, linear_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, real = [], Examination.result
    monkeypatch.setattr(Examination, "result", lambda self: (asked.append(1), real(self))[1])
    for target in ("a.h5", "a.npy"):
        assert reconstruct_file(
            "linear", write_photo("a.png"), tmp_path / target, choices=Choices(linear_weights)
        ).trust
    assert len(asked) == 2


def seen(*colours: tuple[int, int, int]) -> TrainingColours:
    return TrainingColours(count_cells(np.uint8(colours)) > 0, len(colours))


def far(colours: TrainingColours, *levels: tuple[int, int, int]) -> float:
    return colours.far_share(count_cells(np.uint8(levels)))


def test_colours_beside_those_seen_are_near_and_others_far() -> None:
    grey = seen((128, 128, 128))
    assert far(grey, (128, 128, 128), (135, 135, 135), (120, 136, 143)) == 0.0
    assert far(grey, (128, 128, 128), (200, 30, 30), (0, 255, 0), (128, 128, 128)) == 0.5
    assert far(grey, (146, 146, 146)) == 1.0  # two cells further in every channel
    assert far(seen((4, 4, 4)), (20, 20, 20)) == 1.0


def test_a_colour_two_cells_away_is_near_where_cells_are_small_to_the_eye() -> None:
    # CIEDE2000 between the centres of the cells by colour-science 0.4, white of equal energy: 1.818, 2.091, 0.322
    assert far(seen((252, 252, 100)), (252, 252, 116)) == 0.0
    assert far(seen((252, 252, 116)), (252, 252, 132)) == 1.0
    assert far(seen((4, 252, 4)), (4, 252, 20)) == 0.0


def test_a_card_keeps_the_colours_and_a_damaged_entry_is_one_sentence() -> None:
    colours = seen((1, 2, 3), (200, 100, 0), (255, 255, 255))
    entry = json.loads(json.dumps({"training_colours": colours.to_card()}))
    read = TrainingColours.from_card(entry)
    assert read is not None
    np.testing.assert_array_equal(read.seen, colours.seen)
    assert TrainingColours.from_card({}) is None
    for key, value in (("seen", "!!"), ("seen", "AAAA"), ("seen", 3), ("cells_per_channel", 16), ("pixels", "many")):
        damaged = {"training_colours": {**entry["training_colours"], key: value}}
        with pytest.raises(DataError, match="x has training_colours that cannot be read"):
            TrainingColours.from_card(damaged, "x")
    with pytest.raises(DataError, match="cannot be read"):
        TrainingColours.from_card({"training_colours": "none"})


def test_training_colours_are_those_of_the_valid_pixels(make_scene: Callable[..., Scene]) -> None:
    scene = TrainingScene(make_scene("s", 40, 48, 0), "none", input="linear")
    found = colours_of([scene])
    rgb = TrainingScene(scene.scene, "none").rgb()
    levels = np.rint(rgb * 255).astype(np.uint8)[scene.mask]
    np.testing.assert_array_equal(found.seen, count_cells(levels) > 0)
    assert found.pixels == 40 * 47
    assert (rgb[:, -1] == 0).all()
    assert not found.seen[0]  # for the black column at the right end is not valid


def test_large_scenes_are_sampled_all_over(make_scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specrec.reconstruction.training_colours._PIXELS", 4000)
    monkeypatch.setattr("specrec.reconstruction.training_colours._WINDOW", 16)
    scene, asked = make_scene("s", 200, 300, 0), []
    real = scene.read

    def read(window: Window | None) -> Any:
        asked.append(window)
        return real(window)

    object.__setattr__(scene, "read", read)
    found = colours_of([TrainingScene(scene, "none")])
    assert 2000 < found.pixels <= 4600
    assert {(window.height, window.width) for window in asked} == {(16, 16)}
    assert max(window.top for window in asked) == 200 - 16
    assert max(window.left for window in asked) == 300 - 16


def test_training_writes_the_colours_and_what_learns_nothing_has_none(tmp_path: Path) -> None:
    card = train("linear", "synthetic[scenes=2,size=32]", None, tmp_path / "linear.safetensors", scaling="none")
    colours = TrainingColours.from_card(read_card(tmp_path / "linear.safetensors"))
    assert colours is not None
    assert colours.pixels == card["training_colours"]["pixels"] > 1500
    assert "training_colours" not in train("mallett", "synthetic[scenes=1,size=32]", None, tmp_path / "m.safetensors")


SHIPPED = ("gan", "pixel", "linear", "pca", "matrix-r", "polynomial", "root-polynomial", "rbf", "kernel", "aplus",
           "filterbank")  # fmt: skip


def test_the_shipped_weights_of_one_recipe_say_the_same_colours_and_warn_of_neon_alone() -> None:
    entries = [read_card(find(name))["training_colours"] for name in SHIPPED]
    assert all(entry == entries[0] for entry in entries)
    colours = TrainingColours.from_card({"training_colours": entries[0]})
    assert colours is not None
    for neon in ((0, 255, 0), (57, 255, 20), (255, 0, 255), (0, 255, 255), (0, 0, 255), (255, 20, 147)):
        assert far(colours, neon) == 1.0
    for natural in ((224, 172, 140), (60, 110, 30), (80, 140, 230), (128, 128, 128), (255, 255, 255), (0, 0, 0)):
        assert far(colours, natural) == 0.0
    for name in ("arad", "mallett"):
        assert "training_colours" not in read_card(find(name))


def test_a_world_that_the_shipped_weights_were_not_trained_on_brings_no_warning() -> None:
    from specrec.datasets import open_source

    source = open_source("synthetic[spectra=broad,world=5000,worlds=3,scenes=3,size=64]")
    colours = TrainingColours.from_card(read_card(find("gan")))
    assert colours is not None
    for name in source.names():
        rgb = TrainingScene(source.open(name), "none").rgb()
        assert colours.far_share(count_cells(np.rint(rgb * 255).astype(np.uint8))) < MANY / 2


def test_the_warning_says_the_share_and_the_method() -> None:
    assert Trust(1.0, 2.0, None).warning("gan") is None
    assert Trust(1.0, 2.0, MANY / 2).warning("gan") is None
    words = Trust(1.0, 2.0, 0.184).warning("gan") or ""
    assert words.startswith("18 % of the pixels have colours that the weights of gan never saw (farther than 2 CIE")
    assert words.endswith("their spectra are guesses")


def test_cells_are_counted_by_their_upper_five_bits() -> None:
    counts = count_cells(np.uint8([[[0, 0, 0], [7, 7, 7]], [[8, 0, 0], [255, 255, 255]]]))
    assert counts[0] == 2
    assert counts[SIDE * SIDE] == 1
    assert counts[-1] == 1


def test_a_preview_shows_means_of_squares_whatever_the_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specrec.reconstruction.preview._WIDTH", 20)
    monkeypatch.setattr("specrec.reconstruction.preview._NARROW", 1)
    rng = np.random.default_rng(0)
    photo, back = rng.integers(0, 256, (2, 45, 61, 3), dtype=np.uint8)
    difference = rng.random((45, 61), dtype=np.float32)
    drawn = []
    for tile in (61, 16, 7):
        preview = Preview((45, 61))
        for top in range(0, 45, tile):
            for left in range(0, 61, tile):
                part = slice(top, min(45, top + tile)), slice(left, min(61, left + tile))
                window = Window(top, left, part[0].stop - top, part[1].stop - left)
                preview.add(window, photo[part], back[part], difference[part])
        drawn.append(preview.draw("a.png", "linear"))
    for other in drawn[1:]:
        assert np.abs(drawn[0].astype(int) - other).max() <= 1
    top, left = 16 + 18 + 8, 16
    assert drawn[0][top, left].tolist() == np.rint(photo[:4, :4].mean(axis=(0, 1))).tolist()
    assert drawn[0][top + 11, left + 15].tolist() == np.rint(photo[44:, 60:].mean(axis=(0, 1))).tolist()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 3000), (3000, 1), (60, 80)])
def test_a_preview_of_any_shape_is_at_most_2000_wide(
    height: int, width: int, write_photo: Make, linear_weights: Path, tmp_path: Path
) -> None:
    photo = write_photo("a.png", height, width)
    reconstruct_file("linear", photo, tmp_path / "a.h5", choices=Choices(linear_weights, preview=True))
    with Image.open(preview_path(tmp_path / "a.h5")) as picture:
        assert picture.width <= 2000
        assert picture.height <= 1100
        assert np.asarray(picture).std() > 1


def test_a_preview_never_replaces_a_file_unless_it_may(write_photo: Make, linear_weights: Path, tmp_path: Path) -> None:
    photo, there = write_photo("a.png"), tmp_path / "a.preview.png"
    there.write_text("mine")
    with pytest.raises(specrec.SpecrecError, match=r"a\.preview\.png exists; choose another name or pass --overwrite"):
        reconstruct_file("linear", photo, tmp_path / "a.h5", choices=Choices(linear_weights, preview=True))
    assert not (tmp_path / "a.h5").exists()
    reconstruct_file("linear", photo, tmp_path / "a.h5", choices=Choices(linear_weights, preview=True, overwrite=True))
    assert there.read_bytes().startswith(b"\x89PNG")


def test_a_cube_never_replaces_its_photo_even_if_it_may_replace_files(write_photo: Make, linear_weights: Path) -> None:
    photo = write_photo("a.tif")
    with pytest.raises(specrec.SpecrecError, match=r"a\.tif is the photo itself; choose another name for its cube"):
        reconstruct_file("linear", photo, photo, choices=Choices(linear_weights, overwrite=True))
