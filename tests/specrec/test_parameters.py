import pytest
from hypothesis import given
from hypothesis import strategies as st

from specrec.errors import SpecrecError, UsageError
from specrec.parameters import Parameter, parse_spec, resolve, slug, split_specs

DECLARED = {
    "preset": Parameter("paper", "of values", choices=("paper", "quick")),
    "epochs": Parameter(100, "passes", minimum=1, supersedes="steps"),
    "steps": Parameter(0, "updates", minimum=0),
    "rate": Parameter(0.5, "of learning", minimum=0, maximum=1),
    "flips": Parameter(False, "mirror"),
    "mode": Parameter("a", "of working", choices=("a", "b")),
}
PRESETS = {"paper": {}, "quick": {"steps": 50, "rate": 0.1}}


def test_a_bracket_wins_over_the_preset_and_the_preset_over_the_default() -> None:
    assert resolve("m", DECLARED, PRESETS, {}) == {
        "preset": "paper", "epochs": 100, "steps": 0, "rate": 0.5, "flips": False, "mode": "a",
    }  # fmt: skip
    quick = resolve("m", DECLARED, PRESETS, {"rate": "0.3"}, preset="quick")
    assert (quick["preset"], quick["steps"], quick["rate"]) == ("quick", 50, 0.3)
    assert resolve("m", DECLARED, PRESETS, {"preset": "paper"}, preset="quick")["steps"] == 0
    assert resolve("m", DECLARED, PRESETS, {}, preset="unheard of")["preset"] == "paper"


def test_a_parameter_that_supersedes_another_drops_what_the_preset_said_of_it() -> None:
    assert resolve("m", DECLARED, PRESETS, {"epochs": 3}, preset="quick")["steps"] == 0
    both = resolve("m", DECLARED, PRESETS, {"epochs": 3, "steps": 7}, preset="quick")
    assert (both["epochs"], both["steps"]) == (3, 7)


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"epoch": "3"}, "m has no parameter 'epoch'; did you mean 'epochs'?"),
        ({"zzz": "3"}, "choose from epochs, flips"),
        ({"epochs": "3.5"}, "m[epochs] takes a whole number, not '3.5'"),
        ({"epochs": 3.5}, "takes a whole number"),
        ({"epochs": True}, "takes a whole number"),
        ({"epochs": "0"}, "m[epochs] must be at least 1, not '0'"),
        ({"rate": "2"}, "m[rate] must be between 0 and 1, not '2'"),
        ({"rate": "nan"}, "takes a number"),
        ({"rate": "fast"}, "m[rate] takes a number, not 'fast'"),
        ({"flips": "maybe"}, "m[flips] takes true or false, not 'maybe'"),
        ({"mode": "c"}, "m[mode] is one of a, b; not 'c'"),
        ({"preset": "slow"}, "m[preset] is one of paper, quick; not 'slow'"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(given_: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as error:
        resolve("m", DECLARED, PRESETS, given_)
    assert words in str(error.value)


@pytest.mark.parametrize("text", ["gan[", "gan]", "[a=1]", "gan[a]", "gan[a=]", "gan[=1]", "gan[a=1,a=2]", "g an", ""])
def test_a_text_that_names_no_method_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse_spec(text)


names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
values = st.from_regex(r"[a-z0-9.]{1,6}", fullmatch=True)
brackets = st.dictionaries(names, values, max_size=3)


@given(st.lists(st.tuples(names, brackets), min_size=1, max_size=4))
def test_what_is_written_is_read_back(methods: list[tuple[str, dict[str, str]]]) -> None:
    texts = [f"{name}[{','.join(f'{k}={v}' for k, v in inside.items())}]" for name, inside in methods]
    assert [parse_spec(text) for text in split_specs(" , ".join(texts))] == methods


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    for part in split_specs(text):
        try:
            parse_spec(part)
        except SpecrecError as error:
            assert "cannot read" in str(error) or "twice" in str(error)


def test_a_slug_depends_on_the_values_and_not_on_their_order() -> None:
    assert slug("gan", {"a": 1, "b": 2}) == slug("gan", {"b": 2, "a": 1})
    assert slug("gan", {"a": 1}) != slug("gan", {"a": 2})
    assert slug("gan", {}).startswith("gan-")
    assert len(slug("gan", {})) == len("gan-") + 8
