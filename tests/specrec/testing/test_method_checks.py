"""Every promise of a method: a right one keeps it, and a wrong one breaks it and no other, and is told the way out."""

import re
from pathlib import Path

import pytest
import wrong_methods as wrong

from specrec.interfaces import Reconstructor
from specrec.testing.checks import Check, NotApplicable, NotConforming
from specrec.testing.methods import OF_EVERY_TRIAL, OF_THE_CLASS, method_checks, processes
from specrec.testing.results import tried

BROKEN = {
    wrong.Unshown: ("its name, summary and parameters can be shown", "say in one line"),
    wrong.OutOfBounds: ("every default is a value that its parameter takes", "change the default"),
    wrong.DeadPreset: ("every preset can be built", "as its choices"),
    wrong.TakesAnything: ("an unknown parameter is refused", "pass everything to super"),
    wrong.Restless: ("its settings build the same method again", "leave `settings` as"),
    wrong.HalfAPixel: ("its extent is declared in whole numbers", "a whole number of at least 1"),
    wrong.Speechless: ("before a fit there is one clear sentence", "is not fitted; call fit or load weights first"),
    wrong.CannotFit: ("fit learns from small scenes and returns self", "ZeroDivisionError: no luck"),
    wrong.ReturnsNothing: ("fit learns from small scenes and returns self", "`return self`"),
    wrong.EvenOnly: ("any size gives a cube of that size, bands last", "(height, width, bands)"),
    wrong.BandsFirst: ("any size gives a cube of that size, bands last", "(height, width, bands)"),
    wrong.Wavering: ("reconstructing twice gives the same cube", "seed whatever it draws"),
    wrong.Unseeded: ("the same seed gives the same cube", "np.random.default_rng(context.seed)"),
    wrong.Remembers: ("a refit forgets", "assign every attribute that ends in _ anew"),
    wrong.Reseeds: ("the process is left as it was", "a generator of your own"),
    wrong.FallsBack: ("progress rises from 0 to 1", "never less than before"),
    wrong.Elsewhere: ("it computes on the device it is told", "self.device = context.device"),
    wrong.BeginsHalf: ("a fit that was killed goes on and ends the same", "keep in the checkpoint all"),
    wrong.Double: ("cubes are float32", ".astype(np.float32)"),
    wrong.DividesByBlack: ("every value is finite", "a division by"),
    wrong.Reversed: ("bands are in the order of the wavelengths", "at scene.wavelengths[i]"),
    wrong.Shifted: ("bands are in the order of the wavelengths", "shifted by +1 bands"),
    wrong.Swapped: ("bands are in the order of the wavelengths", "with the channels B, G, R; keep band i"),
    wrong.FreeOfCharge: ("operations are declared as a number above 0, or not at all", "for each pixel, or None"),
    wrong.OnBytes: ("values are on the scale of the training cubes", "on the scale of the training cubes, 0..1"),
    wrong.OnBothSides: ("values are on the scale of the training cubes", "much nearer if they are on the scale -1..1"),
    wrong.Upended: ("pixels stay where they are", "only if it is put upside down"),
    wrong.Mirrored: ("pixels stay where they are", "with left and right changed"),
    wrong.Turned: ("pixels stay where they are", "with rows and columns changed"),
    wrong.ChangesSettings: ("fit learns from small scenes and returns self", "settings['draws'] from 3 to 2; leave"),
    wrong.Leaves: ("fit learns from small scenes and returns self", "raised SystemExit: no licence; mend fit"),
    wrong.NeverDone: ("progress rises from 0 to 1", "told of 0.5 last; end it with"),
    wrong.Smooths: ("reconstructing twice gives the same cube", "keep nothing from call to call"),
    wrong.Blind: ("the estimate follows the image", "use its argument"),
    wrong.Scribbles: ("the image is not changed, and may be read-only", "work on a copy"),
    wrong.OneBuffer: ("a cube is its own", "a new array from every call"),
    wrong.LastImage: ("a cube is its own", "a copy of what the method keeps"),
    wrong.ReadsRaw: ("the memory layout of the image does not matter", "np.ascontiguousarray(rgb)"),
    wrong.CountsThreads: ("threads change no number", "whatever the threads"),
    wrong.SeesMore: ("the declared receptive field holds", "declare a receptive_field of at least 3 (5 if"),
    wrong.ShortHalo: ("tiles on the grid with their halo equal the whole", "raise halo"),
    wrong.Neighbourly: ("a per-pixel method sees one pixel", "PerPixelReconstructor"),
    wrong.Touchy: ("influence is zero or more, and zero outside the receptive field", "the root of the summed squares"),
    wrong.Farsighted: (
        "influence is zero or more, and zero outside the receptive field",
        "declare a receptive_field of",
    ),
    wrong.Rounds: ("save and load give the same cube", "with all its digits"),
    wrong.Unsaved: ("save and load give the same cube", "a dict that JSON can hold"),
}
BROKEN_IN_A_PROCESS = {
    wrong.OfThisProcess: ("it works in a process of its own", "let no number depend on the process"),
    wrong.InTheClass: ("a saved file gives the same cube in another process", "keep nothing in the class"),
    wrong.Greedy: ("memory grows no faster than bytes_per_pixel says", "declare "),
    wrong.Keeps: ("nothing is kept of images that are done", "neither images nor cubes"),
    wrong.Dies: ("it works in a process of its own", "died of SIGSEGV"),
}
IN_A_PROCESS = {promise.words for promise in processes.PROMISES}


def failures(checks: list[Check]) -> dict[str, str]:
    results = [tried(check) for check in checks]
    for result in results:
        assert result.outcome != "failed" or isinstance(result.error, NotConforming), result.words
    return {result.check.promise: result.words for result in results if result.outcome == "failed"}


def without_a_process(method: type[Reconstructor]) -> list[Check]:
    return [check for check in method_checks(method) if check.promise not in IN_A_PROCESS]


@pytest.mark.parametrize("method", [wrong.Right, wrong.RightPixel], ids=lambda method: method.name)
def test_a_right_method_keeps_every_promise(method: type[Reconstructor]) -> None:
    results = {check.promise: tried(check) for check in method_checks(method, [{}])}
    skipped = {promise for promise, result in results.items() if result.outcome == "skipped"}
    assert [result.words for result in results.values() if result.outcome == "failed"] == []
    by_pixel = {"the declared receptive field holds"}
    by_area = {
        "a per-pixel method sees one pixel",
        "influence is zero or more, and zero outside the receptive field",
    }
    assert skipped == (by_pixel if method is wrong.RightPixel else by_area)
    assert re.fullmatch(
        r"fit [\d.]+ s, \d+ MB; reconstruct [\d.e+-]+ s per megapixel", results["time and memory"].words
    )


@pytest.mark.parametrize(("method", "expected"), BROKEN.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_promise_is_the_only_one_and_its_author_is_told_what_to_change(
    method: type[Reconstructor], expected: tuple[str, str]
) -> None:
    found = failures(without_a_process(method))
    assert list(found) == [expected[0]]
    assert expected[1] in found[expected[0]]


@pytest.mark.parametrize(
    ("method", "expected"), BROKEN_IN_A_PROCESS.items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_so_it_is_for_what_a_process_of_its_own_shows(method: type[Reconstructor], expected: tuple[str, str]) -> None:
    found = failures(method_checks(method))
    assert list(found) == [expected[0]]
    assert expected[1] in found[expected[0]]


def test_every_promise_has_a_method_that_breaks_it() -> None:
    promises = {promise.words for promise in (*OF_THE_CLASS, *OF_EVERY_TRIAL)}
    broken = {words for words, _ in (*BROKEN.values(), *BROKEN_IN_A_PROCESS.values())}
    assert promises - broken == {"time and memory"}


def test_the_page_of_the_contract_lists_every_promise() -> None:
    page = (Path(__file__).parents[3] / "docs" / "conformance.md").read_text("utf-8")
    assert [promise.words for promise in (*OF_THE_CLASS, *OF_EVERY_TRIAL) if f"| {promise.words} |" not in page] == []


def test_a_method_that_cannot_be_fitted_says_so_once() -> None:
    calls = 0

    class Hopeless(wrong.CannotFit):
        def learn(self, scenes):
            nonlocal calls
            calls += 1
            return super().learn(scenes)

    results = [tried(check) for check in method_checks(Hopeless)]
    assert [result.check.promise for result in results if result.outcome == "failed"] == [
        "fit learns from small scenes and returns self"
    ]
    assert {result.words for result in results if result.outcome == "skipped"} == {
        "cannot be judged before this holds: fit learns from small scenes and returns self"
    }
    assert calls == 1


def test_a_class_that_another_process_cannot_import_is_told_so() -> None:
    class Inside(wrong.Right):
        pass

    found = failures(method_checks(Inside))
    assert list(found) == ["it works in a process of its own"]
    assert "define the class at the top of a module" in found["it works in a process of its own"]


def test_a_network_that_sees_its_neighbours_far_apart_keeps_no_images() -> None:
    from wrong_networks import HonestDilated

    assert failures(method_checks(HonestDilated)) == {}


def test_a_network_that_changes_the_default_dtype_is_told_so_and_the_next_is_as_before() -> None:
    import torch
    from wrong_networks import DoubleForAll

    found = failures(without_a_process(DoubleForAll))
    assert list(found) == ["the process is left as it was"]
    assert "fit changed torch's default dtype" in found["the process is left as it was"]
    assert torch.get_default_dtype() == torch.float32


def test_a_network_whose_far_pixels_count_little_is_told_its_receptive_field() -> None:
    from wrong_networks import SeesFartherThanItSays

    found = failures(without_a_process(SeesFartherThanItSays))
    assert list(found) == ["influence is zero or more, and zero outside the receptive field"]
    assert "declare a receptive_field of 9" in found[next(iter(found))]


def test_a_network_that_cannot_see_one_pixel_is_told_of_grid() -> None:
    from wrong_networks import Pools

    found = failures(without_a_process(Pools))
    assert list(found) == ["any size gives a cube of that size, bands last"]
    assert "declare grid = the product of its strides" in found["any size gives a cube of that size, bands last"]


def test_one_check_alone_gives_the_reason_for_which_it_cannot_be_judged() -> None:
    check = next(check for check in method_checks(wrong.Wavering) if check.promise == "a refit forgets")
    with pytest.raises(NotApplicable, match="before this holds: reconstructing twice"):
        check()


def test_settings_name_the_subject_and_can_be_given_in_place_of_the_trials() -> None:
    subjects = [check.subject for check in method_checks(wrong.Right, [{"noise": 0.5}, {"draws": 2, "preset": "bold"}])]
    assert list(dict.fromkeys(subjects)) == ["right", "right[noise=0.5]", "right[draws=2,preset=bold]"]


def test_what_cannot_be_built_with_its_trials_says_so_once() -> None:
    failed = failures(method_checks(wrong.Right, [{"draws": 0}]))
    assert list(failed) == ["its settings build the same method again"]
    assert "change its `trials`" in failed["its settings build the same method again"]


def test_an_answer_that_is_no_array_of_numbers_is_said_once() -> None:
    class Words(wrong.Right):
        def reconstruct(self, rgb):
            return super().reconstruct(rgb).astype("U8")

    found = failures(without_a_process(Words))
    assert list(found) == ["any size gives a cube of that size, bands last"]
    assert "gave <U8 of the shape (1, 1, 31)" in found["any size gives a cube of that size, bands last"]
