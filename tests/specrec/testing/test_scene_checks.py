"""Data sets that each break one promise: exactly that check fails, and says what to change."""

import os
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

from specrec.errors import UsageError
from specrec.interfaces import SceneSource
from specrec.parameters import Parameter
from specrec.scenes import Scene, Window
from specrec.testing.checks import NotApplicable, NotConforming
from specrec.testing.scenes import contents, scene_checks

GRID = np.arange(400.0, 701.0, 50.0)


def made(seed, size=9):
    cube = np.random.default_rng(seed).random((size, size + 2, GRID.size), dtype=np.float32)
    cube[0, 0] = np.nan
    return cube


def made_part(seed, window):
    return made(seed) if window is None else made(seed)[window.slices]


def made_mask(seed):
    return np.isfinite(made(seed)).all(axis=2)


class Made(SceneSource):
    """A right one, that makes its scenes."""

    name = "made"
    summary = "scenes made for a test"
    quantity = "radiance"
    parameters = {"first": Parameter(0, "seed of the first scene", minimum=0)}  # noqa: RUF012
    trials = ({}, {"first": 5})

    def names(self):
        first = self.settings["first"]
        return [f"scene{index:03}" for index in range(first, first + 3)]

    def open(self, name):
        if name not in self.names():
            raise UsageError(f"made has no scene {name!r}")
        seed = int(name[5:])
        mask = partial(made_mask, seed)
        return Scene(name, (9, 11, 7), GRID, "radiance", f"seed {seed}", partial(made_part, seed), mask)

    def further(self, count):
        return Further(first=self.settings["first"] + 3, count=count)


class Further(Made):
    parameters = {**Made.parameters, "count": Parameter(2, "scenes", minimum=1)}  # noqa: RUF012

    def names(self):
        first = self.settings["first"]
        return [f"scene{index:03}" for index in range(first, first + self.settings["count"])]


class Filed(SceneSource):
    """A right one, that reads the .npy files of a folder."""

    name = "filed"
    summary = "scenes read for a test"
    quantity = "reflectance"
    path_variable = "SPECREC_FILED"
    mode = "r"

    def names(self):
        if not self.path.is_dir():
            raise UsageError(f"{self.path} is no folder")
        return sorted(path.stem for path in self.path.glob("*.npy"))

    def open(self, name):
        if name not in self.names():
            raise UsageError(f"filed has no scene {name!r}")
        path = self.path / f"{name}.npy"
        shape = np.load(path, mmap_mode="r").shape
        return Scene(name, shape, GRID, "reflectance", str(path), partial(self.read, path))

    def read(self, path, window):
        cube = np.load(path, mmap_mode=self.mode)
        return cube if window is None else cube[window.slices]

    def files(self, name):
        return [self.path / f"{name}.npy"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two files of a million values each, which no check writes into."""
    folder = tmp_path_factory.mktemp("filed")
    for index in range(2):
        np.save(folder / f"s{index}.npy", made(index, 390)[1:])
    return folder


class NoSummary(Made):
    summary = ""


class BadName(Made):
    name = "made up"


class OtherQuantity(Made):
    quantity = "counts"


class NoTrials(Made):
    trials = ()


class NoComma(Made):
    trials = {"first": 5}  # noqa: RUF012


class LowVariable(Filed):
    path_variable = "specrec filed"


class PlainParameters(Made):
    parameters = {"first": 0}  # noqa: RUF012

    def __init__(self, path=None, **given):
        self.path, self.settings = path, {"first": 0, **given}


class SilentWithoutFolder(Filed):
    def names(self):
        return sorted(path.stem for path in self.path.glob("*.npy"))


class FailsWithoutFolder(Filed):
    def names(self):
        return sorted(path.removesuffix(".npy") for path in os.listdir(self.path))  # noqa: PTH208


class Turning(Made):
    """Lists its scenes the other way round, the second time it is asked."""

    def names(self):
        asked = self.__dict__.setdefault("asked", [])
        asked.append(1)
        return super().names() if len(asked) == 1 else super().names()[::-1]


class Unsorted(Made):
    def names(self):
        return super().names()[::-1]


class Tupled(Made):
    def names(self):
        return tuple(super().names())


class Slashed(Made):
    def names(self):
        return [f"a/{name}" for name in super().names()]

    def open(self, name):
        return replace(Made(**self.settings).open(name.removeprefix("a/")), name=name)

    def further(self, count):
        return None


class KeyErrors(Made):
    def open(self, name):
        return {known: Made.open(self, known) for known in self.names()}[name]


class AnyName(Made):
    def open(self, name):
        return super().open(name if name in self.names() else self.names()[0])


class Vague(Made):
    def open(self, name):
        if name not in self.names():
            raise UsageError("no such thing")
        return super().open(name)


class Eager(Made):
    def open(self, name):
        scene, cube = super().open(name), made(int(name[5:]))
        return replace(scene, read=lambda window: (cube if window is None else cube[window.slices]).copy())


class EagerInItself(Made):
    def open(self, name):
        scene = super().open(name)
        self.kept = made(int(name[5:]))
        return replace(scene, read=self._read)

    def _read(self, window):
        return (self.kept if window is None else self.kept[window.slices]).copy()


class LooksInside(Filed):
    def open(self, name):
        scene = super().open(name)
        np.load(self.path / f"{name}.npy").mean()
        return scene


def changed(**values):
    """A data set whose scenes are opened with other values; a function of the scene is called."""

    class Changed(Made):
        def open(self, name):
            scene = super().open(name)
            return replace(scene, **{key: value(scene) if callable(value) else value for key, value in values.items()})

    return Changed


def reading(change):
    """A data set that changes what it has read: ``change(cube)``."""

    class Reading(Made):
        def open(self, name):
            scene = super().open(name)
            return replace(scene, read=lambda window: change(scene.read(window)))

        def further(self, count):
            return None

    return Reading


def masking(change):
    """A data set that changes its masks: ``change(mask)``."""
    return changed(read_mask=lambda scene: partial(_masked, scene, change))


def _masked(scene, change):
    return change(scene.read_mask())


class Shifted(Made):
    def open(self, name):
        scene = super().open(name)
        return replace(scene, read=partial(_shifted, scene))


def _shifted(scene, window):
    if window is None or window.left == 0:
        return scene.read(window)
    return scene.read(Window(window.top, window.left - 1, window.height, window.width))


class Broken(Made):
    def open(self, name):
        scene = super().open(name)
        return replace(scene, read=partial(_only_whole, scene))


def _only_whole(scene, window):
    if window is not None:
        raise NotImplementedError("windows")
    return scene.read(None)


class Keeping(Made):
    """Hands out the array that it keeps."""

    def open(self, name):
        scene = super().open(name)
        kept = self.__dict__.setdefault("kept", cache(made))
        return replace(scene, read=partial(_kept, kept, int(name[5:])))


def _kept(kept, seed, window):
    return kept(seed) if window is None else kept(seed)[window.slices]


class Writable(Filed):
    mode = "r+"


class OfTheProcess(Made):
    def open(self, name):
        scene = super().open(name)
        return replace(scene, read=partial(_of_the_process, scene.read))


def _of_the_process(read, window):
    return read(window) + np.float32(os.getpid())


class OnlyHere(Made):
    def open(self, name):
        if os.getpid() not in HERE:
            raise ValueError("not in this process")
        return super().open(name)


HERE: list[int] = []


class Unlisted(Filed):
    def files(self, name):
        return []


class ListsOthers(Filed):
    def files(self, name):
        return [self.path / f"{name}.mat"]


class FurtherSame(Made):
    def further(self, count):
        return Further(first=self.settings["first"], count=count)


class FurtherRenamed(Made):
    def further(self, count):
        return Renamed(first=self.settings["first"], count=count)


class Renamed(Further):
    def names(self):
        return [f"again{name[5:]}" for name in super().names()]

    def open(self, name):
        return replace(Made(first=self.settings["first"]).open(f"scene{name[5:]}"), name=name)


class FurtherFew(Made):
    def further(self, count):
        return Further(first=9, count=1)


SAYS = "it says what it is"
FOLDER = "a folder that is not there is named"
NAMES = "its names are stable and sorted, and can name files"
UNKNOWN = "an unknown scene is named in one sentence"
LAZY = "opening a scene does not read it"
SCENE = "a scene says what it is"
NM = "wavelengths increase, in nm"
CUBE = "a cube is float32, bands last, and finite where it is valid"
MASK = "the mask says which pixels are valid"
WINDOW = "a window is a part of the whole"
AGAIN = "a second reading gives the same, whatever became of the first"
PROCESS = "another process reads the same"
FILES = "the files of a scene are there"
FURTHER = "further scenes are other ones"


WRONG = [
    (SAYS, "summary is ''; say it in one line", NoSummary),
    (SAYS, "take letters, digits", BadName),
    (SAYS, "set the class attribute to 'radiance' or 'reflectance'", OtherQuantity),
    (SAYS, "leave it out, or give a tuple", NoTrials),
    (SAYS, "with its comma", NoComma),
    (SAYS, "take capitals, digits and _: SPECREC_MINE", LowVariable),
    (SAYS, "declare each option as one", PlainParameters),
    (FOLDER, "has 0 scenes; raise a specrec.errors.UsageError", SilentWithoutFolder),
    (FOLDER, "FileNotFoundError: .*; raise a specrec.errors.UsageError", FailsWithoutFolder),
    (NAMES, "return them sorted", Unsorted),
    (NAMES, r"return a list of words, of one", Tupled),
    (NAMES, "without chance, clock or counter", Turning),
    (NAMES, "'a/scene000', .*; leave out /", Slashed),
    (UNKNOWN, "raised KeyError: .*; raise a specrec.errors.UsageError", KeyErrors),
    (UNKNOWN, "gives a scene; raise a", AnyName),
    (UNKNOWN, "says 'no such thing'; raise a", Vague),
    (LAZY, "an array of 693 numbers .*; pass Scene", Eager),
    (LAZY, "an array of 693 numbers .*; pass Scene", EagerInItself),
    (LAZY, "takes 4.3 MB, .*; read the header alone", LooksInside),
    (SCENE, r"pass Scene\(name=name\)", changed(name="other")),
    (SCENE, "give three ints from 1", changed(shape=(np.int64(9), 11, 7))),
    (SCENE, "it is 'radiance' or 'reflectance'", changed(quantity="counts")),
    (SCENE, "say the file", changed(provenance="")),
    (NM, r"list; give np.array", changed(wavelengths=GRID.tolist())),
    (NM, "float32 of shape .*; give np.array", changed(wavelengths=GRID.astype(np.float32))),
    (NM, "has 6 wavelengths .*; give one for each band", changed(wavelengths=GRID[1:])),
    (NM, "sort them", changed(wavelengths=GRID[::-1].copy())),
    (NM, "sort them", changed(wavelengths=np.maximum(GRID, 450.0))),
    (NM, "from 0.4 to 0.7, .*; multiply um by 1000", changed(wavelengths=GRID / 1000.0)),
    (CUBE, r"float64 of shape .*; end with .astype\(np.float32\)", reading(lambda cube: cube.astype(np.float64))),
    (CUBE, "every valid value of 'scene000' is 0.5", reading(lambda cube: np.full_like(cube, 0.5))),
    (CUBE, r"NaN .*; leave these out by Scene\(read_mask=...\)", changed(read_mask=None)),
    (CUBE, "known_extent of .*; leave it out", changed(known_extent=(0.0, 1.0))),
    (CUBE, "content of .*; leave it out", changed(content="0" * 64)),
    (MASK, "int64 of shape .*; give bool", masking(lambda mask: mask.astype(np.int64))),
    (MASK, r"bool of shape \(11, 9\) .*; give bool, one per pixel", masking(lambda mask: mask.T)),
    (MASK, "no valid pixel; True stands for valid", masking(np.zeros_like)),
    (WINDOW, r"not that part of the whole cube; .*cube\[window.slices\]", Shifted),
    (WINDOW, r"NotImplementedError: windows; give the rows", Broken),
    (AGAIN, r"read again, is not what it was; give a copy", Keeping),
    (AGAIN, "the cube of 's0' is the file itself, .*mode='r'", Writable),
    (PROCESS, "other numbers in another process; derive", OfTheProcess),
    (PROCESS, "cannot read 'scene002'; import .*It said: .*ValueError: not in this process", OnlyHere),
    (FILES, "is empty, .*; list the scene's files", Unlisted),
    (FILES, "which is no file; list the Paths", ListsOthers),
    (FURTHER, "'scene000', which is one of the data set itself, .*; give others", FurtherSame),
    (FURTHER, "'again000', which is one of the data set itself, .*; give others", FurtherRenamed),
    (FURTHER, r"as many scenes as asked for", FurtherFew),
]


def outcomes(source, folder):
    """What each check says: remarks, reasons why it does not apply, failures; a list by promise."""
    found = {}
    for check in scene_checks(source, None if source.path_variable is None else folder):
        try:
            said = check()
        except (NotApplicable, NotConforming) as reason:
            said = reason
        found.setdefault(check.promise, []).append(said)
    return found


def failures(source, folder):
    found = outcomes(source, folder)
    broken = {key: [str(said) for said in every if isinstance(said, NotConforming)] for key, every in found.items()}
    return {key: every[0] for key, every in broken.items() if every}


@pytest.fixture
def one_process(request, monkeypatch):
    """Read "in another process" here where that is not what is tried: it takes half a second each time."""
    HERE.append(os.getpid())
    if not hasattr(request.node, "callspec") or request.node.callspec.params.get("promise") != PROCESS:
        here = lambda cls, folder, settings, name: contents.content(cls(folder, **settings), name)  # noqa: E731
        monkeypatch.setattr(contents, "content_elsewhere", here)


@pytest.mark.parametrize(("promise", "remedy", "wrong"), WRONG, ids=[f"{row[0]} {n}" for n, row in enumerate(WRONG)])
def test_a_broken_promise_fails_its_own_check_and_no_other_and_says_what_to_change(
    promise, remedy, wrong, folder, one_process, monkeypatch
):
    if promise == PROCESS:
        monkeypatch.setattr(wrong, "trials", ({},))
    found = failures(wrong, folder)
    assert list(found) == [promise]
    with pytest.raises(NotConforming, match=remedy):
        raise NotConforming(found[promise])


def test_every_promise_has_a_data_set_that_breaks_it():
    assert {row[0] for row in WRONG} == {check.promise for check in scene_checks(Made)}


@pytest.mark.parametrize("right", [Made, Filed])
def test_a_right_data_set_breaks_none(right, folder):
    found = outcomes(right, folder)
    assert not [said for every in found.values() for said in every if isinstance(said, NotConforming)]
    skipped = {key for key, every in found.items() if isinstance(every[0], NotApplicable)}
    assert skipped == ({FOLDER} if right is Made else {FURTHER})


def test_each_trial_is_tried_and_named():
    assert {check.subject for check in scene_checks(Made)} == {"made", "made[first=5]"}


def test_a_folder_comes_from_what_is_given_or_from_the_variable_or_both_ways_are_named(folder, monkeypatch):
    (check,) = (check for check in scene_checks(Filed) if check.promise == NAMES)
    monkeypatch.delenv("SPECREC_FILED", raising=False)
    with pytest.raises(NotApplicable, match=r"--data filed=FOLDER\) or set SPECREC_FILED"):
        check()
    monkeypatch.setenv("SPECREC_FILED", str(folder))
    assert check() == "2 scenes"


def test_a_folder_for_a_data_set_that_makes_its_scenes_is_a_usage_error(folder):
    with pytest.raises(UsageError, match="leave out the folder"):
        scene_checks(Made, folder)[2]()


def test_scenes_are_prepared_before_they_are_read(folder):
    class Prepared(Made):
        ready: set[str] = set()  # noqa: RUF012

        def prepare(self, names, progress=None):
            self.ready.update(names)

        def open(self, name):
            if name in self.names() and name not in self.ready:
                raise RuntimeError(f"{name} is not ready")
            return super().open(name)

        def further(self, count):
            return None

    assert not failures(Prepared, folder)


def test_what_a_data_set_raises_is_told_with_what_was_asked(folder):
    class Failing(Made):
        def names(self):
            return [self.settings["frist"]]

    assert failures(Failing, folder)[NAMES].startswith("names() raised KeyError: 'frist'; return a list")


def test_a_class_that_no_other_process_can_import_is_not_tried_in_one(folder):
    (said, _) = outcomes(changed(), folder)[PROCESS]
    assert isinstance(said, NotApplicable)


def test_a_data_set_without_scenes_says_so(folder):
    class Empty(Made):
        def names(self):
            return []

    found = failures(Empty, folder)
    assert list(found) == [NAMES]
    assert "of one scene at least" in found[NAMES]


def test_what_cannot_be_opened_is_said_once(folder, one_process):
    class OpensItsFiles(Unlisted):
        def open(self, name):
            super().open(name)
            return self.files(name)[0]

    assert list(failures(OpensItsFiles, folder)) == [FILES]


def test_no_file_of_the_data_is_written_into(folder, one_process):
    before = (folder / "s0.npy").read_bytes()
    assert AGAIN in failures(Writable, folder)
    assert (folder / "s0.npy").read_bytes() == before


def test_times_and_what_is_valid_are_remarked(folder, one_process):
    found = outcomes(Made, folder)
    assert found[CUBE][0].endswith("s per megapixel")
    assert found[MASK][0] == "99% to 99% of the pixels are valid"
    assert found[NM] == ["7 bands, 400-700 nm"] * 2
    assert outcomes(reading(lambda cube: cube - 1), folder)[CUBE][0].endswith(
        "s per megapixel, some values are negative"
    )
