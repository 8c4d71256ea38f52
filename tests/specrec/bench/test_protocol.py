import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specrec.bench import protocol
from specrec.cells.region import region_mask
from specrec.errors import SpecrecError, UsageError
from specrec.parameters import parse_spec
from specrec.registry import registry


def test_the_protocols_that_come_with_specrec_are_what_they_say() -> None:
    assert protocol.names() == ["branches", "cave", "embedded", "embedded-null", "family", "icvl", "robustness"]
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
        ("dataset = 'cave'\nmethods = 'gan'", "methods must be a list of methods, not 'gan'"),
        ("dataset = 'cave'\ncontrols = [1]", "controls must be a list of methods, not (1,)"),
        ("dataset = 'cave'\ntested = [2]", "tested must be a list of folds from 0 to 1, not (2,)"),
        ("dataset = 'cave'\ntested = 1", "tested must be a list of folds from 0 to 1, not 1"),
        ("dataset = 'cave'\nscore_training = -1", "score_training must be a whole number of at least 0, not -1"),
        ("dataset = 'cave'\nceiling = -1", "ceiling must be a whole number of at least 0, not -1"),
        ("dataset = 'cave'\ninfluence = 1.5", "influence must be a whole number of at least 0, not 1.5"),
        ("dataset = 'cave'\nfigure = 'ablate'", "figure must be empty or one of ablation, not 'ablate'"),
        ("dataset = 'cave'\nrobustness = 'jpeg=50'", "robustness must be a list of conditions, not 'jpeg=50'"),
        ("dataset = 'cave'\nrobustness = ['jpg=50']", "unknown condition 'jpg=50'; did you mean 'jpeg'?"),
        (
            "dataset = 'cave'\nrobustness = ['jpeg=5', 'jpeg=5']",
            "robustness must be a list of conditions, each of them once",
        ),
        ("dataset = 'cave'\nrobustness = ['cross-data']", "cross must be a data set where robustness names cross-data"),
        ("dataset = 'cave'\ncross = 'icvl'", "cross must be a data set where robustness names cross-data"),
        ("dataset = 'cave'\ncross_scenes = -1", "cross_scenes must be a whole number of at least 0, not -1"),
        ("dataset = 'cave'\n[on]\nicvl = 3", "on must be tables by the names of data sets"),
        ("dataset = 'cave'\n[on.icvl]\nfold = 3", "on.icvl: unknown key 'fold'; did you mean 'folds'?"),
        ("dataset = 'cave'\n[on.icvl]\ndataset = 'cave'", "on.icvl: unknown key 'dataset'"),
        ("dataset = 'cave'\n[on.icvl]\nruns = 0", "runs must be a whole number of at least 1, not 0"),
    ],
)
def test_a_protocol_that_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        protocol.parse(text, "mine")
    assert words in str(error.value)
    assert str(error.value).startswith("protocol mine: ")


def test_a_data_set_has_its_own_values_and_loses_the_options_of_another() -> None:
    text = "dataset = 'synthetic'\noptions = {world = 3}\nruns = 2\n[on.icvl]\nruns = 5\nmetrics = ['sam']\n"
    chosen = protocol.parse(text, "mine")
    icvl, cave, synthetic = (chosen.settled(name) for name in ("icvl", "cave", "synthetic"))
    assert (icvl.dataset, icvl.runs, icvl.metrics, icvl.options) == ("icvl", 5, ("sam",), {})
    assert (cave.dataset, cave.runs, cave.options) == ("cave", 2, {})
    assert (synthetic.runs, synthetic.options) == (2, {"world": 3})
    assert not icvl.on


def test_the_branches_protocol_is_the_papers_figure_4_on_icvl() -> None:
    icvl = protocol.load("branches").settled("icvl")
    assert icvl.computed_folds == (1,)
    assert (icvl.folds, icvl.scenes_per_fold, icvl.runs, icvl.region) == (2, 100, 2, "tiles:256")
    assert icvl.preset == "paper"
    assert icvl.methods == tuple(f"gan[branches={count}]" for count in range(1, 10))


@pytest.mark.parametrize("dataset", ["synthetic", "icvl", "cave"])
def test_the_control_without_context_has_as_many_parameters_as_four_branches(dataset: str) -> None:
    chosen = protocol.load("branches").settled(dataset)
    hidden, gan = (registry().reconstructor(name) for name in ("pixel", "gan"))
    pixel = next(text for text in chosen.controls if text.startswith("pixel"))
    settings = hidden.with_preset(chosen.preset, parse_spec(pixel)[1]).settings
    first, second = (int(width) for width in str(settings["hidden"]).split("-"))
    without = 3 * first + first + first * second + second + second * 31 + 31
    net = gan.with_preset(chosen.preset, {"branches": 4})._network(31)
    assert without == pytest.approx(sum(value.numel() for value in net.parameters()), rel=1e-3)


def test_the_family_protocol_has_the_folds_of_each_data_sets_own() -> None:
    for dataset in ("synthetic", "icvl", "cave"):
        family, own = protocol.load("family").settled(dataset), protocol.for_dataset(dataset).settled(dataset)
        kept = {"name": own.name, "methods": (), "runs": own.runs}  # beside the methods, icvl's two runs
        assert dataclasses.replace(family, **kept) == own
        assert {"linear", "pixel", "gan"} <= set(family.methods)


@pytest.mark.parametrize("listed", ["branches", "family"])
def test_all_methods_of_a_protocol_can_be_built(listed: str) -> None:
    for dataset in ("synthetic", "icvl", "cave"):
        chosen = protocol.load(listed).settled(dataset)
        for text in (*chosen.methods, *chosen.controls):
            name, given = parse_spec(text)
            assert registry().reconstructor(name).with_preset(chosen.preset, given)


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
        st.sampled_from(
            [
                "tested",
                "methods",
                "on",
                "figure",
                "folds",
                "runs",
                "seed",
                "scaling",
                "region",
                "metrics",
                "preset",
                "options",
                "threads",
            ]
        ),
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


@pytest.mark.parametrize("text", ['"synthetic[scenes=4,size=32]"', '"synthetic[size=32]"\noptions = { scenes = 4 }'])
def test_a_protocol_names_its_data_set_as_the_command_line_does(text: str) -> None:
    plain = 'dataset = "synthetic"\noptions = { scenes = 4, size = 32 }'
    found, expected = (protocol.parse(one, "mine") for one in (f"dataset = {text}", plain))
    assert found.dataset == "synthetic"
    source = registry().scene_source("synthetic")
    assert source(None, **found.options).settings == source(None, **expected.options).settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            'dataset = "synthetic[scenes=4"',
            r"protocol mine: cannot read 'synthetic\[scenes=4'; write name or name\[key",
        ),
        ('dataset = "synthetic[scenes=4]"\noptions = { scenes = 5 }', "the option 'scenes' stands in 'dataset' and in"),
        ('dataset = "synthetic[scenes=4]"\noptions = 5', "options must be a table"),
        (f'dataset = "cave"\nmetrics = {["rmse"] * 1001}', "metrics are 1,000 at most"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        protocol.parse(text, "mine")


def test_regions_mark_the_pixels_that_count() -> None:
    assert region_mask("full", 5, 7).all()
    tiles = region_mask("tiles:2", 5, 7)
    assert tiles[:4, :6].all()
    assert tiles.sum() == 24
    crop = region_mask("crop:1", 5, 7)
    expected = np.zeros((5, 7), dtype=bool)
    expected[1:4, 1:6] = True
    np.testing.assert_array_equal(crop, expected)


@pytest.mark.parametrize(("region", "size"), [("tiles:256", (255, 300)), ("crop:128", (482, 256))])
def test_an_image_too_small_for_the_region_is_an_error(region: str, size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="leaves no pixel"):
        region_mask(region, *size)


def test_a_table_on_a_data_set_with_options_is_refused() -> None:
    with pytest.raises(UsageError, match=r"write \[on\.synthetic\], without options"):
        protocol.parse('dataset = "synthetic"\n[on."synthetic[size=32]"]\nruns = 2\n', "mine")
    protocol.parse('dataset = "synthetic"\n[on.not-installed]\nruns = 2\n', "mine")
