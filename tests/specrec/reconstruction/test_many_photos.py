"""Any number of photos: a bad one does not stop the others, several at a time give the bits of one after the other."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from specrec.cubes import read_cube
from specrec.errors import DataError, MemoryShortageError, SpecrecError, UsageError
from specrec.reconstruction import Choices, Reconstructed, Watcher, Work, reconstruct_files
from specrec.reconstruction.many_photos import reason
from specrec.reconstruction.one_photo import Photo, Workshop
from specrec.reconstruction.room import Room
from specrec.registry import registry
from specrec.threads import available_cores

Make = Callable[..., Path]


class Notes(Watcher):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.fractions: list[float] = []

    def progress(self, work: Work, done: float, words: str) -> None:
        self.fractions.append(done)

    def finished(self, work: Work, found: Reconstructed) -> None:
        self.told.append(("finished", f"{work.photo.name} {found.shape}"))

    def failed(self, work: Work, error: Exception) -> None:
        self.told.append(("failed", f"{work.photo.name} {reason(error)}"))

    def kept(self, work: Work, existing: Path, missing: Path | None) -> None:
        self.told.append(("kept", f"{work.photo.name} {existing.name} {missing.name if missing else '-'}"))


@pytest.fixture
def works(write_photo: Make, tmp_path: Path) -> list[Work]:
    return [Work(write_photo(f"photo{index}.png", 15 + index), tmp_path / f"{index}.npy") for index in range(5)]


@pytest.mark.parametrize(("jobs", "overlap"), [(1, True), (2, False), (2, True), (9, True)])
@pytest.mark.parametrize("method", ["linear", "gan"])
def test_several_at_a_time_give_the_bits_of_one_after_the_other(
    works: list[Work], tmp_path: Path, method: str, jobs: int, overlap: bool
) -> None:
    choices = Choices(threads=1, tiles="16", device="cpu")
    reconstruct_files(method, works, choices, overlap=False)
    others = [Work(photo, tmp_path / "others" / target.name) for photo, target in works]
    outcome = reconstruct_files(method, others, choices, jobs=jobs, overlap=overlap)
    assert list(outcome.finished) == others
    for (_, target), (_, other) in zip(works, others, strict=True):
        assert target.read_bytes() == other.read_bytes()


def test_jobs_share_the_cores_and_the_memory(
    works: list[Work], linear_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()
    real = Workshop.make

    def make(self: Workshop, *given: Any) -> Reconstructed:
        seen.add((self.loaded.method.threads, self.share))
        return real(self, *given)

    monkeypatch.setattr(Workshop, "make", make)
    reconstruct_files("linear", works, Choices(linear_weights, threads=8, overwrite=True), jobs=4)
    assert seen == {(2, 4)}
    seen.clear()
    reconstruct_files("linear", works[:1], Choices(linear_weights, overwrite=True), jobs=4)
    assert seen == {(available_cores(), 1)}


def test_no_more_tiles_are_computed_at_a_time_than_there_are_jobs(
    works: list[Work], linear_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = registry().reconstructor("linear")
    real, lock, now, most = method.reconstruct, threading.Lock(), [0], [0]

    def reconstruct(self: Any, rgb: Any) -> Any:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        try:
            return real(self, rgb)
        finally:
            with lock:
                now[0] -= 1

    monkeypatch.setattr(method, "reconstruct", reconstruct)
    for jobs in (1, 3):
        most[0] = 0
        reconstruct_files("linear", works, Choices(linear_weights, tiles="8", overwrite=True), jobs=jobs)
        assert most[0] == jobs


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("overlap", [False, True])
def test_a_bad_photo_is_told_and_the_rest_goes_on(
    works: list[Work], linear_weights: Path, jobs: int, overlap: bool
) -> None:
    works[1].photo.write_bytes(b"")
    works[3].photo.unlink()
    notes = Notes()
    outcome = reconstruct_files("linear", works, Choices(linear_weights), jobs=jobs, overlap=overlap, watcher=notes)
    assert list(outcome.failed) == [works[1], works[3]]
    assert list(outcome.finished) == [works[0], works[2], works[4]]
    assert sorted(notes.told)[1] == ("failed", f"photo3.png there is no image {works[3].photo}")
    assert [target.exists() for _, target in works] == [True, False, True, False, True]


def test_what_exists_is_kept_unless_it_may_be_replaced(works: list[Work], linear_weights: Path) -> None:
    works[0].target.write_text("mine")
    works[2].target.with_name("2.preview.png").write_text("mine")
    for name in ("4.npy", "4.preview.png"):
        works[4].target.with_name(name).write_text("mine")
    notes = Notes()
    outcome = reconstruct_files("linear", works, Choices(linear_weights, preview=True), watcher=notes)
    assert outcome.kept == [works[0], works[2], works[4]]
    assert outcome.partial == [works[0], works[2]]  # a cube alone, or a preview alone, is not all that was asked for
    assert notes.told[:3] == [
        ("kept", "photo0.png 0.npy 0.preview.png"), ("kept", "photo2.png 2.preview.png 2.npy"),
        ("kept", "photo4.png 4.npy -"),
    ]  # fmt: skip
    assert works[0].target.read_text() == "mine"
    assert not works[2].target.exists()
    assert len(reconstruct_files("linear", works, Choices(linear_weights, overwrite=True)).finished) == 5
    assert read_cube(works[0].target).cube.shape == (15, 30, 31)


def test_what_concerns_all_photos_is_told_before_any_work(
    works: list[Work], linear_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specrec.reconstruction.one_photo.Photo", None)
    for method, choices, words in (
        ("liner", Choices(), "unknown method 'liner'"),
        ("linear", Choices(linear_weights, tiles="big"), "tiles are auto"),
        ("linear", Choices(linear_weights, dtype="float64"), "float64"),
        ("linear", Choices(linear_weights, dtype="uint16"), "uint16"),
        ("linear", Choices(Path("absent.safetensors")), "no weights file"),
    ):
        with pytest.raises(UsageError, match=words):
            reconstruct_files(method, works, choices)


@pytest.mark.parametrize(("jobs", "overlap"), [(1, False), (1, True), (3, True)])
def test_an_interrupt_keeps_what_is_finished_and_leaves_nothing_half_written(
    works: list[Work], linear_weights: Path, tmp_path: Path, jobs: int, overlap: bool
) -> None:
    class Interrupted(Notes):
        def finished(self, work: Work, found: Reconstructed) -> None:
            raise KeyboardInterrupt

    (tmp_path / "out").mkdir()
    elsewhere = [Work(photo, tmp_path / "out" / f"{photo.stem}.h5") for photo, _ in works]
    with pytest.raises(KeyboardInterrupt):
        reconstruct_files(
            "linear", elsewhere, Choices(linear_weights, tiles="4"), jobs=jobs, overlap=overlap, watcher=Interrupted()
        )
    left = list((tmp_path / "out").iterdir())
    assert len(left) >= 1
    for path in left:
        assert path in [target for _, target in elsewhere]
        assert read_cube(path).cube.shape[1:] == (30, 31)
    assert threading.active_count() == 1


def test_an_interrupt_inside_a_photo_leaves_nothing_of_it(
    works: list[Work], linear_weights: Path, tmp_path: Path
) -> None:
    class Interrupted(Watcher):
        def progress(self, work: Work, done: float, words: str) -> None:
            if done > 0.5:
                raise KeyboardInterrupt

    (tmp_path / "out").mkdir()
    with pytest.raises(KeyboardInterrupt):
        reconstruct_files(
            "linear", [Work(works[0].photo, tmp_path / "out" / "a.h5")], Choices(linear_weights, tiles="8"),
            watcher=Interrupted(),
        )  # fmt: skip
    assert list((tmp_path / "out").iterdir()) == []


def test_what_memory_does_not_hold_beside_others_is_tried_again_alone(
    works: list[Work], linear_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, open_photos, tries = threading.Lock(), [0], []

    class Large(Photo):
        def __init__(self, path: Path, *given: Any, **more: Any) -> None:
            tries.append(path)
            if path == works[1].photo and threading.active_count() > 1:
                raise MemoryShortageError(f"{path} takes too much")
            with lock:
                open_photos[0] += 1
            super().__init__(path, *given, **more)

    monkeypatch.setattr("specrec.reconstruction.one_photo.Photo", Large)
    notes = Notes()
    outcome = reconstruct_files("linear", works, Choices(linear_weights), jobs=2, watcher=notes)
    assert list(outcome.finished) == works
    assert tries[-1] == works[1].photo
    assert not [told for told, _ in notes.told if told == "failed"]


def test_two_cubes_that_the_disk_holds_only_one_of_are_not_both_begun(
    works: list[Work], linear_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = 16 * 30 * 31 * 4  # bytes of the larger of the two cubes
    asked, both = [], threading.Event()

    def usage(_folder: Path) -> SimpleNamespace:
        asked.append(1)
        if len(asked) == 2:
            both.set()
        return SimpleNamespace(free=int(1.5 * one))

    method = registry().reconstructor("linear")
    real = method.reconstruct
    monkeypatch.setattr(shutil, "disk_usage", usage)
    # neither is written before room was asked for both
    monkeypatch.setattr(method, "reconstruct", lambda self, rgb: (both.wait(30), real(self, rgb))[1])
    outcome = reconstruct_files("linear", works[:2], Choices(linear_weights), jobs=2)
    assert len(outcome.finished) == 1
    [error] = outcome.failed.values()
    assert "and the cubes under way need 115.3 kB" in str(error)


def test_room_is_kept_for_what_is_not_yet_written_and_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=10_000_000))
    room = Room()
    with room.reserve(tmp_path / "a", 8_000_000, "a") as written:
        with pytest.raises(SpecrecError, match=r"b and the cubes under way need 11\.0 MB and .* has 10\.0 MB free"):
            room.reserve(tmp_path / "b", 3_000_000, "b").__enter__()
        written(0.5)
        with room.reserve(tmp_path / "b", 3_000_000, "b"):
            pass
    with room.reserve(tmp_path / "c", 10_000_000, "c"):
        pass


def test_a_method_that_draws_at_random_computes_one_at_a_time(
    works: list[Work], training_scenes: Any, tmp_path: Path
) -> None:
    from specrec.interfaces import FitContext
    from specrec.weights import make_card, save

    method = registry().build("gan[branches=2,width=4,crop=32,steps=2,dropout=0.5,dropout_at_test=true]")
    method.fit(training_scenes, FitContext())
    path = tmp_path / "random.safetensors"
    save(method, path, make_card(method, wavelengths=range(400, 701, 10), scenes=["s"], seed=0))
    reconstruct_files("gan", works, Choices(path, threads=1), jobs=4)
    first = [np.load(target) for _, target in works]
    reconstruct_files("gan", works, Choices(path, threads=1, overwrite=True))
    for cube, (_, target) in zip(first, works, strict=True):
        np.testing.assert_array_equal(cube, np.load(target))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DataError("a.png is damaged"), "a.png is damaged"),
        (MemoryError(), "memory ran out; use fewer --jobs"),
        (OSError(28, "No space left on device", "a.h5"), "a.h5: No space left on device"),
        (ValueError("odd\nand more"), "ValueError: odd"),
        (DataError("a.png is odd\nand more"), "a.png is odd"),
        (OSError(5, "odd\nand more", "a.h5"), "a.h5: odd"),
    ],
)
def test_a_reason_is_one_line(error: Exception, words: str) -> None:
    assert reason(error).startswith(words)
    assert "\n" not in reason(error)
