"""What a plugin offers is looked at before anybody uses it; each reason says what to change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specrec.interfaces import Metric, Reconstructor, SceneSource, Score
from specrec.parameters import Parameter
from specrec.registry.checking import not_a_method, not_a_metric, not_a_source


class Fine(Reconstructor):
    name = "fine"
    summary = "fine"

    def fit(self, scenes: Any, context: Any) -> "Fine":
        return self

    def reconstruct(self, rgb: Any) -> Any:
        return rgb

    def state(self) -> Any:
        return {}, {}

    @classmethod
    def from_state(cls, settings: Any, arrays: Any, config: Any) -> "Fine":
        return cls()


class Scenes(SceneSource):
    name = "scenes"
    summary = "fine"
    quantity = "radiance"

    def names(self) -> list[str]:
        return []

    def open(self, name: str) -> Any:
        return None


STEPS = Parameter(2, "updates", minimum=1)
PRESET = Parameter("a", "which", choices=("a", "b"))

METHODS = {
    "name": [
        (name, "its name is lower case letters and digits")
        for name in (
            "",
            "Gan",
            "a b",
            "../gan",
            "a/b",
            "a\\b",
            "a..b",
            "-a",
            "a@b",
            "a,b",
            "a[b]",
            "a\n",
            "é",
            3,
            "a" * 65,
        )
    ],
    "summary": [
        (3, "its summary is one line of text, not 3"),
        ("a\nb", "its summary is one line"),
        ("", "its summary"),
    ],
    "reference": [(None, "its reference is one line of text, not None"), ("\x1b[31m", "its reference is one line")],
    "requires": [
        ("torch", "its requires is a tuple of names of modules such as (\"torch\",), not 'torch'"),
        (("nope.sub",), "it needs the module 'nope.sub', which is not installed"),
        ((3,), "its requires is a tuple"),
    ],
    "parameters": [
        ([], "its parameters are a dictionary of specrec.Parameter, not []"),
        (property(lambda self: {}), "its parameters are a dictionary of specrec.Parameter, not <property"),
        ({"Steps": STEPS}, "a parameter is called by lower case letters, digits and _, not 'Steps'"),
        ({"self": STEPS}, "a parameter is called by"),
        ({"steps": 2}, "its parameter 'steps' is a specrec.Parameter, not 2"),
        ({"steps": Parameter(None, "none")}, "has a default that is a bool, int, float or str, not None"),
        (
            {"steps": Parameter(0, "updates", minimum=1)},
            "the default of parameter 'steps' is not allowed: steps",
        ),
        (
            {"steps": Parameter("c", "which", choices=("a",))},
            "the default of parameter 'steps' is not allowed: steps",
        ),
        ({"steps": Parameter(float("nan"), "rate")}, "the default of parameter 'steps' is not allowed"),
        ({"steps": Parameter(1, "x", supersedes="y")}, "its parameter 'steps' supersedes 'y', which is no parameter"),
        ({"steps": Parameter(1, "")}, "its parameter 'steps': its help is one line of text, not ''"),
    ],
    "presets": [
        ({"a": {}}, "declares a Parameter 'preset' with exactly these as its choices: 'a'"),
        (["a"], "its presets are a dictionary"),
    ],
    "trials": [
        ({}, "its trials are a tuple of settings"),
        (("steps",), "its trials are a tuple of settings"),
        (({"stepps": 1},), "its trials: fine has no parameter 'stepps'"),
    ],
}


@pytest.mark.parametrize(("part", "value", "reason"), [(p, v, r) for p, rows in METHODS.items() for v, r in rows])
def test_what_is_wrong_with_a_method_is_said(part: str, value: Any, reason: str) -> None:
    assert not_a_method(Fine) is None
    said = not_a_method(type("Odd", (Fine,), {part: value}))
    assert said is not None
    assert reason in said


@pytest.mark.parametrize(
    ("presets", "reason"),
    [
        ({"a": {}, "b": {"steps": 3}}, None),
        ({"a": {}}, "declares a Parameter 'preset' with exactly"),
        ({"a": {}, "b": {"stepps": 3}}, "its preset 'b' has no parameter 'stepps'; did you mean 'steps'?"),
        ({"a": {}, "b": {"steps": 0}}, "its preset 'b'[steps] must be at least 1, not 0"),
        ({"a": {}, "b": 3}, "its preset 'b' is a dictionary of settings, not 3"),
    ],
)
def test_presets_name_parameters_and_values_that_there_are(presets: Any, reason: str | None) -> None:
    said = not_a_method(type("Odd", (Fine,), {"parameters": {"steps": STEPS, "preset": PRESET}, "presets": presets}))
    assert said is None if reason is None else reason in str(said)


def test_what_is_no_class_or_misses_a_part_is_said() -> None:
    assert "is not a Reconstructor class; offer its class" in str(not_a_method(Fine()))
    assert "is not a Reconstructor class; inherit specrec.Reconstructor" in str(not_a_method(int))
    half = type("Half", (Reconstructor,), {"name": "half", "summary": "half", "fit": Fine.fit})
    assert not_a_method(half) == "Half has no from_state, reconstruct, state; write what is missing"
    assert (
        not_a_method(type("Nameless", (Fine,), {"name": None})) == "it has no name; give the method an attribute name"
    )


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("quantity", "light", "its quantity is 'radiance' or 'reflectance', not 'light'"),
        ("path_variable", "my folder", "its path_variable is None or capital letters"),
        ("name", "a/b", "its name is lower case"),
        ("trials", ({"scenes": 2},), "its trials: scenes has no parameter 'scenes'"),
    ],
)
def test_what_is_wrong_with_a_data_set_is_said(part: str, value: Any, reason: str) -> None:
    assert not_a_source(Scenes) is None
    assert reason in str(not_a_source(type("Odd", (Scenes,), {part: value})))
    assert "is not a SceneSource class" in str(not_a_source(Path))


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("name", "a@b@c", "its name is lower case letters and digits with . _ - between them, @ before a variant"),
        ("name", "mine@matched", "names ending in @matched or @metamers are those of specrec's ceiling"),
        ("unit", None, "its unit is one line of text, not None"),
        ("definition", "", "its definition is one line of text, not ''"),
        ("higher_is_better", "yes", "its higher_is_better is True or False, not 'yes'"),
        ("function", 3, "its function is one of (estimate, reference, mask, wavelengths), not 3"),
    ],
)
def test_what_is_wrong_with_a_metric_is_said(part: str, value: Any, reason: str) -> None:
    fine = Metric("mine@2026", "1", "0..1", False, "one", "", lambda *_: Score(1.0, 1.0))
    assert not_a_metric(fine) is None
    assert reason in str(not_a_metric(replace(fine, **{part: value})))
    assert "is not a Metric" in str(not_a_metric(Score(1.0, 1.0)))
