"""Photos and trainings on a Dask cluster: a real scheduler and real workers on loopback, shared by the module."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributed import Client

from specrec.cluster.own import own_cluster
from specrec.cubes import write_cube
from specrec.errors import UsageError
from specrec.reconstruction import Choices, Watcher, Work, find_photos, name_outputs, reconstruct_files, train
from specrec.reconstruction.many_trainings import TrainingWatcher, train_many
from specrec.testing.small_scenes import smooth_scene
from specrec.weights import read_card

BLIND = """
from specrec.reconstruction import photo_job, training_job
for module in (photo_job, training_job):
    module.is_here, module.sees = (lambda facts: {here}), (lambda folder: {here})
"""
SEEING = """
from specrec.cluster.files import is_here
from specrec.reconstruction import photo_job, training_job, workers
for module in (photo_job, training_job):
    module.is_here, module.sees = is_here, workers.sees
"""

DYING = """
from specrec.reconstruction import training_job as job

def dying(*given):
    from specrec.errors import SpecrecError
    raise SpecrecError("its process died with signal SIGKILL")

job.real, job._in_process = job._in_process, dying
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with own_cluster(2) as (address, _):
        yield address


@contextmanager
def blind(address: str, *, photos: int | None = None) -> Iterator[None]:
    """Let the workers see no file of this machine; with `photos`, and send no more bytes than that."""
    with Client(address, set_as_default=False) as client:
        client.run(exec, BLIND.format(here=False))
        if photos is not None:
            client.run(exec, f"from specrec.reconstruction import photo_job\nphoto_job.MOST_SENT = {photos}")
        try:
            yield
        finally:
            client.run(exec, SEEING)
            client.run(exec, "from specrec.reconstruction import photo_job\nphoto_job.MOST_SENT = 2_000_000_000")


class Told(Watcher):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def note(self, words: str) -> None:
        self.words.append(words)

    def failed(self, work: Work, error: Exception) -> None:
        self.words.append(f"{work.photo.name}: {error}")


@pytest.fixture
def works(write_photo: Callable[..., Path], tmp_path: Path) -> list[Work]:
    photos = [str(write_photo(f"p{index}.png")) for index in range(3)]
    return name_outputs(find_photos(photos), tmp_path / "out")


def here(works: list[Work]) -> list[Work]:
    return [Work(work.photo, work.target.parents[1] / "here" / work.target.name) for work in works]


def same_files(one: Path, other: Path) -> None:
    assert sorted(path.name for path in one.iterdir()) == sorted(path.name for path in other.iterdir())
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes()


def test_cubes_and_previews_of_a_cluster_are_those_of_this_process(
    cluster: str, works: list[Work], linear_weights: Path
) -> None:
    choices = Choices(linear_weights, preview=True)
    expected = reconstruct_files("linear", here(works), choices)
    outcome = reconstruct_files("linear", works, choices, dask=cluster)
    assert list(outcome.finished) == works
    assert list(outcome.finished.values()) == list(expected.finished.values())
    same_files(works[0].target.parent, here(works)[0].target.parent)


def test_what_fails_is_told_and_what_exists_is_kept_also_where_it_appears_meanwhile(
    cluster: str, works: list[Work], linear_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, absent = (Work(tmp_path / f"{name}.png", tmp_path / "out" / f"{name}.h5") for name in ("bad", "absent"))
    bad.photo.write_bytes(b"no photo")
    works[0].target.parent.mkdir()
    works[0].target.write_text("mine")
    from specrec.reconstruction import photos_on_cluster

    real = photos_on_cluster.put_in_place

    def late(made: list[Path], paths: list[Path], *, overwrite: bool) -> None:
        if works[1].target in paths:
            works[1].target.write_text("theirs")
        real(made, paths, overwrite=overwrite)

    monkeypatch.setattr(photos_on_cluster, "put_in_place", late)
    told = Told()
    outcome = reconstruct_files("linear", [*works, bad, absent], Choices(linear_weights), dask=cluster, watcher=told)
    assert (list(outcome.finished), outcome.kept) == (works[2:], works[:1])
    assert list(outcome.failed) == [works[1], bad, absent]
    assert f"bad.png: {bad.photo} is not an image" in "\n".join(told.words)
    assert f"absent.png: there is no image {absent.photo}" in told.words
    assert [work.target.read_text() for work in works[:2]] == ["mine", "theirs"]
    assert len(list(works[0].target.parent.iterdir())) == 3


def test_a_worker_that_sees_nothing_is_sent_the_files_and_the_cubes_are_fetched(
    cluster: str, works: list[Work], linear_weights: Path
) -> None:
    choices, told = Choices(linear_weights, form="envi", preview=True), Told()
    works = [Work(work.photo, work.target.with_suffix(".hdr")) for work in works]
    reconstruct_files("linear", here(works), choices)
    with blind(cluster):
        outcome = reconstruct_files("linear", works, choices, dask=cluster, watcher=told)
    assert (list(outcome.finished), outcome.failed) == (works, {})
    assert any("does not see" in words for words in told.words)
    same_files(works[0].target.parent, here(works)[0].target.parent)


EDITED = """
from specrec.reconstruction import workers
workers.real = getattr(workers, "real", workers.identity)
workers.identity = {how}
"""


def test_a_worker_with_other_code_of_the_method_is_told_of_and_not_used(
    cluster: str, works: list[Work], linear_weights: Path, tmp_path: Path
) -> None:
    other = "lambda *of, **how: {**workers.real(*of, **how), 'code': {'specrec_classical': 'another'}}"
    told, heard = Told(), []

    class Heard(TrainingWatcher):
        def note(self, method: str, words: str) -> None:
            heard.append(words)

    with Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        edited = next(iter(client.scheduler_info()["workers"]))
        client.run(exec, EDITED.format(how=other), {}, workers=[edited])
        try:
            outcome = reconstruct_files("linear", works, Choices(linear_weights), dask=cluster, watcher=told)
            trained = train_many(
                ["linear", "mean"], "synthetic[scenes=2,size=32]", None, tmp_path / "w", dask=cluster, watcher=Heard()
            )
        finally:
            client.run(exec, EDITED.format(how="workers.real"), {})
    assert (list(outcome.finished), outcome.failed, trained.failed) == (works, {}, {})
    for notes in (told.words, heard):
        [said] = [words for words in notes if "is not used" in words]
        assert said.startswith(f"worker {edited} is not used: ")
        assert "has other code of specrec_classical for the method" in said
        assert said.endswith("install the same there and start the worker again")


def test_a_cube_too_large_to_be_fetched_is_an_error_that_names_worker_and_folder(
    cluster: str, works: list[Work], linear_weights: Path
) -> None:
    with blind(cluster, photos=1000):
        outcome = reconstruct_files("linear", works[:1], Choices(linear_weights), dask=cluster)
    (error,) = outcome.failed.values()
    assert str(error).startswith("worker tcp://127.0.0.1:")
    assert f"does not see the folder {works[0].target.parent}" in str(error)
    assert list(works[0].target.parent.iterdir()) == []


def test_devices_of_one_machine_and_random_methods_are_refused(works: list[Work], linear_weights: Path) -> None:
    with pytest.raises(UsageError, match="--device cuda:1 names a device of one machine"):
        reconstruct_files("linear", works, Choices(linear_weights, device="cuda:1"), dask="127.0.0.1:9")
    assert not works[0].target.parent.exists()


def weights(folder: Path) -> dict[str, dict[str, object]]:
    return {path.name: read_card(path) for path in sorted(folder.iterdir())}


def test_a_training_on_a_cluster_gives_the_weights_of_this_machine(cluster: str, tmp_path: Path) -> None:
    data, told = tmp_path / "scenes", []
    for index in range(2):
        scene = smooth_scene(f"s{index}", 24, 20, index)
        write_cube(data / f"s{index}.h5", scene.cube(), scene.wavelengths, {"quantity": scene.quantity})

    class Notes(TrainingWatcher):
        def note(self, method: str, words: str) -> None:
            told.append(words)

    train("linear", "folder", data, tmp_path / "here" / "linear.safetensors")
    outcomes = [train_many(["linear"], "folder", data, tmp_path / "seen", dask=cluster)]
    with blind(cluster):
        outcomes += [train_many(["linear"], "folder", data, tmp_path / "sent", dask=cluster, watcher=Notes())]
    assert [one.failed for one in outcomes] == [{}, {}]
    assert weights(tmp_path / "here") == weights(tmp_path / "seen") == weights(tmp_path / "sent")
    assert any("does not see the data" in words for words in told)


def test_a_training_that_dies_on_a_worker_is_told(cluster: str, tmp_path: Path) -> None:
    with Client(cluster, set_as_default=False) as client:
        client.run(exec, DYING)
        try:
            outcome = train_many(["linear"], "synthetic[scenes=2,size=32]", None, tmp_path / "out", dask=cluster)
        finally:
            client.run(exec, "from specrec.reconstruction import training_job as job\njob._in_process = job.real")
    assert [str(error) for error in outcome.failed.values()] == ["its process died with signal SIGKILL"]
    assert list((tmp_path / "out").iterdir()) == []
