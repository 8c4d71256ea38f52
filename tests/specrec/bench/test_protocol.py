import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specrec.bench import protocol
from specrec.errors import SpecrecError, UsageError


def test_the_protocols_that_come_with_specrec_are_what_they_say() -> None:
    assert protocol.names() == ["cave", "embedded", "embedded-null", "icvl"]
    embedded, null, cave, icvl = (protocol.load(name) for name in ("embedded", "embedded-null", "cave", "icvl"))
    assert (embedded.dataset, embedded.folds, embedded.scenes_per_fold, embedded.runs) == ("synthetic", 2, 20, 1)
    assert dict(embedded.options) | {"texture_link": False} == dict(null.options)
    assert (embedded.preset, cave.preset, icvl.preset) == ("quick", "quick", "paper")
    assert (icvl.scenes_per_fold, icvl.runs, icvl.region, icvl.reported) == (100, 2, "tiles:256", "alvarez-gila-2017")


def test_a_data_set_alone_takes_the_protocol_of_its_name() -> None:
    assert protocol.for_dataset("synthetic").name == "embedded"
    assert protocol.for_dataset("icvl").name == "icvl"
    folder = protocol.for_dataset("folder")
    assert (folder.name, folder.dataset, folder.preset) == ("folder", "folder", "quick")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dataset = 'cave'\nfold = 2", "unknown key 'fold'; did you mean 'folds'?"),
        ("folds = 2", "the key 'dataset' is missing"),
        ("dataset = 'cave'\nfolds = 1", "folds must be a whole number of at least 2, not 1"),
        ("dataset = 'cave'\nruns = true", "runs must be a whole number of at least 1, not True"),
        ("dataset = 'cave'\nscaling = 'max'", "scaling must be one of minmax, none, not 'max'"),
        ("dataset = 'cave'\nregion = 'tiles:0'", "region must be full, tiles:SIZE or crop:BORDER"),
        ("dataset = 'cave'\nmetrics = []", "metrics must be a list of metric ids"),
        ("dataset = ", "not a TOML file"),
    ],
)
def test_a_protocol_that_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        protocol.parse(text, "mine")
    assert words in str(error.value)
    assert str(error.value).startswith("protocol mine: ")


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'embedded'"):
        protocol.load("embeded")


@given(st.text(max_size=80))
def test_any_text_gives_a_protocol_or_a_clear_error(text: str) -> None:
    try:
        protocol.parse(text, "mine")
    except SpecrecError as error:
        assert str(error).startswith("protocol mine")


@given(
    st.dictionaries(
        st.sampled_from(["folds", "runs", "seed", "scaling", "region", "metrics", "preset", "options", "threads"]),
        st.one_of(st.integers(-3, 5), st.booleans(), st.text(max_size=5), st.lists(st.integers(), max_size=2)),
    )
)
def test_any_values_give_a_protocol_or_a_clear_error(values: dict[str, object]) -> None:
    import json

    lines = ["dataset = 'cave'", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    try:
        protocol.parse("\n".join(lines), "mine")
    except SpecrecError as error:
        assert str(error).startswith("protocol mine")


def test_regions_mark_the_pixels_that_count() -> None:
    assert protocol.region_mask("full", 5, 7).all()
    tiles = protocol.region_mask("tiles:2", 5, 7)
    assert tiles[:4, :6].all()
    assert tiles.sum() == 24
    crop = protocol.region_mask("crop:1", 5, 7)
    expected = np.zeros((5, 7), dtype=bool)
    expected[1:4, 1:6] = True
    np.testing.assert_array_equal(crop, expected)


@pytest.mark.parametrize(("region", "size"), [("tiles:256", (255, 300)), ("crop:128", (482, 256))])
def test_an_image_too_small_for_the_region_is_an_error(region: str, size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="leaves no pixel"):
        protocol.region_mask(region, *size)
