"""Texts made to do harm: manifests, records, protocols, methods, lists of folds and of wavelengths."""

import copy
import json

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specrec.bench import folds, protocol
from specrec.bench.results import read_results
from specrec.cubes import open_cube, texts_apart
from specrec.cubes.grids import read_grid
from specrec.errors import DataError, SpecrecError
from specrec.parameters import parse_spec, split_specs
from specrec.registry import registry
from specrec.spectra import WAVELENGTHS

ODD = st.one_of(
    st.sampled_from(
        [
            None, True, -1, 10**12, 10**400, 1e308, float("nan"), "", "../../etc/passwd", "/etc/passwd", "two\nlines",
            "\x1b[31m", "a\0b", [], {}, [[]], [None], {"a": None}, "x" * 99_999, ["../x"], "\ud800",
        ]
    ),
    st.integers(), st.floats(), st.text(max_size=20),
)  # fmt: skip


def places(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def changed(value, path, new, *, gone):
    if not path:
        return new
    holder = result = copy.deepcopy(value)
    for key in path[:-1]:
        holder = holder[key]
    if gone:
        del holder[path[-1]]
    else:
        holder[path[-1]] = new
    return result


@pytest.mark.parametrize("name", ["manifest.json", "cells/m0/fold1-run0.json", "cells/m1/fold0-run0.json"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_results_folder_of_anyone_is_read_or_refused(made_results, name, data):
    scores = {"mean": {"rmse": [3.0, 4.0]}, "linear": {"rmse": [1.0, 2.0]}}
    path = made_results(scores, failed={("linear", 0, 0): "it broke"}).folder / name
    good = json.loads(path.read_text())
    place = data.draw(st.sampled_from(list(places(good))))
    path.write_text(json.dumps(changed(good, place, data.draw(ODD), gone=data.draw(st.booleans()))))
    try:
        results = read_results(path.parents[name.count("/")])
        for form in ("table", "md", "csv", "tex", "json"):
            assert not {"\x1b", "\0"} & set(results.table(form))
        assert not {"\x1b", "\n"} & set("".join(results.failures + results.troubles))
    except SpecrecError as error:
        assert str(error).isprintable()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        *(("manifest.json", change) for change in (
            {"cross_scenes": 5}, {"cross_scenes": {"../x": {}}},
            {"installed": 5}, {"installed": {"a": 5}}, {"reasons": [1]}, {"reasons": {"\x1b[31m": "x"}},
            {"installed": {"m0": {"code": {"a": "\x1b[31m"}}}}, {"installed": {"m0": {"\x1b[31m": 1}}},
            *({"settings": {"name": "made", "dataset": "cave", **odd}} for odd in (
                {"metrics": ["\x1b[31m"]}, {"methods": ["a\nb"]}, {"options": {"\x1b[31m": 1}},
            )),
        )),
        *(("cells/m0/fold1-run0.json", change) for change in (
            {"cost": 5}, {"cost": {"image_shape": [1, 2, 3]}}, {"cost": {"memory_bytes": 10**400}},
            {"cost": {"cpu_seconds_per_megapixel": float("nan")}}, {"cost": {"cpu_seconds_per_megapixel": -3}},
            {"cross_images": 7}, {"cross_images": [7]}, {"decided_by": 5}, {"fit_cpu_seconds": "abc"},
            {"settings": {"\x1b[31m": 1}}, {"metric_code": {"\x1b[31m": {}}},
        )),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_cost_origin_or_other_data_is_refused(made_results, name, change):
    path = made_results({"mean": {"rmse": [3.0, 4.0]}}).folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(SpecrecError, match="of this specrec"):
        read_results(path.parents[name.count("/")])


@pytest.mark.parametrize("deep", ["[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900], ids=["lists", "objects"])
def test_a_record_with_a_part_as_deep_as_json_can_be_has_its_row(made_results, deep):
    path = made_results({"mean": {"rmse": [3.0, 4.0]}}).folder / "cells" / "m0" / "fold0-run0.json"
    path.write_text(f'{path.read_text()[:-1]}, "other": {deep}, "curve": [{{"a": {deep}}}]}}')
    assert {row.method for row in read_results(path.parents[2]).rows} == {"mean"}


@pytest.mark.parametrize("content", ["[" * 200_000, '{"a":' * 200_000, "9" * 5000, "null", "NaN", '"\\ud800"', ""])
def test_a_manifest_or_a_record_that_is_too_deep_or_nothing_is_refused(made_results, content):
    folder = made_results({"mean": {"rmse": [3.0, 4.0]}}).folder
    (folder / "cells" / "m0" / "fold1-run0.json").write_text(content)
    with pytest.raises(SpecrecError, match="is not a result of this specrec"):
        read_results(folder)
    (folder / "manifest.json").write_text(content)
    with pytest.raises(SpecrecError, match="is not a manifest of this specrec"):
        read_results(folder)


TOML = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "[" * 99_999,
            "a = " + "[" * 99_999,
            "a = " + "9" * 5000,
            "seed = 1e999",
            "a" + ".a" * 99_999 + " = 1",
            "[" + "a." * 99_999 + "a]",
            "runs = 999999999999",
        ]
    ),
    st.builds(
        lambda key, value: f'dataset = "synthetic"\n{key} = {value}\n',
        st.sampled_from(sorted(protocol._KEYS)),
        st.sampled_from(["-1", "nan", "2020-01-01", "[[1]]", "{a = 1}", "true", '"\\u0000"', "[]", "9" * 30, "1.5"]),
    ),
)


@settings(max_examples=150, deadline=None)
@given(TOML)
def test_any_text_as_a_protocol_is_read_or_refused(text):
    try:
        found = protocol.parse(text, "odd")
    except SpecrecError as error:
        assert str(error).isprintable()
    else:
        assert found.runs <= 10_000


METHODS = st.one_of(
    st.text("gan[]=,. 0123456789eE-\n\0²", max_size=40),
    st.sampled_from(["[" * 10**6, "gan" + "[" * 10**5 + "]" * 10**5, "gan[width=" + "9" * 10**5 + "]", "," * 10**6]),
    st.builds(
        lambda key, value: f"gan[{key}={value}]",
        st.sampled_from(["width", "branches", "epochs", "crop", "preset"]),
        st.sampled_from(["1e999", "nan", "-1", "9" * 5000, "٣", "1_0", "0x10", "true", "\ud800"]),
    ),
)


@settings(max_examples=150, deadline=None)
@given(METHODS)
def test_any_text_as_methods_is_read_or_refused(text):
    try:
        for spec in split_specs(text):
            parse_spec(spec)
            registry().build(spec)
    except SpecrecError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 3 * len(text) + 1000


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60), test=st.text(max_size=40))
def test_any_list_of_folds_or_of_wavelengths_is_read_or_refused(tmp_path, content, test):
    (tmp_path / "test0.csv").write_bytes(content)
    (tmp_path / "train0.csv").write_text(test, "utf-8", errors="replace")
    for read in (
        lambda: folds.from_lists(tmp_path, ["a", "b"]),
        lambda: read_grid(str(tmp_path / "test0.csv"), "--grid"),
        lambda: read_grid(test or "1:1", "--grid"),
        lambda: read_grid(100_000 * (test or "4"), "--grid"),
    ):
        try:
            read()
        except SpecrecError as error:
            assert str(error).isprintable()


def test_damaged_texts_of_variable_length_end_no_process_but_one_made_for_them(tmp_path, monkeypatch):
    path = tmp_path / "cube.h5"
    with h5py.File(path, "w") as file:
        file.attrs.update(format_version=1, quantity="reflectance", note="of variable length")
        file["cube"] = np.ones((3, 4, 31), dtype=np.float32)
        file["wavelengths"] = WAVELENGTHS
    with open_cube(path) as stored:
        assert stored.attributes == {"format_version": 1, "quantity": "reflectance", "note": "of variable length"}
    content = path.read_bytes()
    heap = content.index(b"GCOL")
    path.write_bytes(content[: heap + 16] + b"\xff" * 64 + content[heap + 80 :])
    monkeypatch.setattr(texts_apart, "TIME_LIMIT", 3.0)  # seconds: the library never comes back
    with pytest.raises(DataError, match="its texts are damaged"), open_cube(path):
        pass


def test_no_sentence_is_longer_than_anyone_reads_and_it_ends_with_the_way_out():
    sentence = str(DataError(f"{'x' * 100_000} is too long; take a shorter one"))
    assert len(sentence) < 3100
    assert sentence.endswith("is too long; take a shorter one")
    with pytest.raises(SpecrecError) as caught:
        parse_spec("gan[" * 30_000)
    assert len(str(caught.value)) < 700


def test_a_name_does_not_steer_the_terminal(capsys):
    from specrec.cli.progress import Line

    Line(quiet=False).say("a\x1b[31m\nb: made")
    assert capsys.readouterr().err == "a\\x1b[31m\\nb: made\n"
