"""The names of conditions: read, written, and refused with the way out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.bench import protocol
from specrec.cells.columns import COLUMNS, SCORED, check_column, column, columns_of, shown
from specrec.errors import SpecrecError, UsageError
from specrec.registry import registry
from specrec.robustness.conditions import STANDARD, condition


@pytest.mark.parametrize("text", [*STANDARD, "camera=sigma-sdmerrill", "exposure=100", "noise=0.0001"])
def test_a_condition_reads_what_it_writes(text: str) -> None:
    assert str(condition(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exposre=2", "unknown condition 'exposre=2'; did you mean 'exposure'?"),
        ("exposure=0", "exposure is a factor from 0.01 to 100"),
        ("exposure=nan", "exposure is a factor from 0.01 to 100"),
        ("exposure=0.250", "write exposure=0.25"),
        ("jpeg=50.5", "jpeg is a whole number from 1 to 100"),
        ("jpeg", "jpeg is a whole number from 1 to 100"),
        ("noise=loud", "noise is a standard deviation at white from 0.0001 to 1"),
        ("camera=nikon", "did you mean 'nikon-5100'?"),
        ("metamer-pair=3", "metamer-pair has no value"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        condition(text)
    assert words in str(error.value)


@settings(max_examples=50)
@given(st.text(max_size=30) | st.sampled_from(STANDARD).flatmap(lambda one: st.text(max_size=3).map(lambda t: one + t)))
def test_any_text_is_a_condition_that_writes_itself_or_a_clear_error(text: str) -> None:
    try:
        assert str(condition(text)) == text
    except SpecrecError as error:
        assert "\n" not in str(error)


def test_every_column_says_what_it_is_and_none_has_the_name_of_another() -> None:
    names = columns_of(STANDARD)
    assert len(set(names)) == len(names)
    assert not set(names) & {*registry().metrics, *COLUMNS}
    assert {shown(text) for text in STANDARD} <= set(names)
    for name in names:
        found = column(name)
        assert found.name == name
        assert found.higher_is_better == name.startswith("gfc")
        assert found.definition not in ("", *(one.definition for one in SCORED.values()))


def test_a_column_is_refused_where_its_condition_is_not_computed() -> None:
    check_column("rmse@unclipped=2", ceiling=False, robustness=("exposure=2",))
    with pytest.raises(UsageError, match="rmse@jpeg=50 needs its condition in the key 'robustness'"):
        check_column("rmse@jpeg=50", ceiling=False, robustness=("jpeg=95",))
    with pytest.raises(UsageError, match="unknown metric 'rmse@jpeg=5O'; did you mean 'rmse@jpeg=50'"):
        check_column("rmse@jpeg=5O", ceiling=False, robustness=("jpeg=50",))
    with pytest.raises(UsageError, match="rmse@matched needs a ceiling"):
        check_column("rmse@matched", ceiling=False)


def test_the_protocol_has_the_standard_conditions_on_every_data_set() -> None:
    chosen = protocol.load("robustness")
    for dataset in ("synthetic", "cave", "icvl"):
        assert chosen.settled(dataset).robustness == STANDARD
        assert chosen.settled(dataset).cross.startswith("synthetic[world=1")
