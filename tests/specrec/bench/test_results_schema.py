"""The schema of the results in docs/ describes what a bench writes, key by key."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from specrec.bench.run import bench
from specrec.cells.key import RESULTS_VERSION
from specrec.hookspecs import hookimpl
from specrec.interfaces import Metric, Reconstructor, Score
from specrec.registry import registry

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = json.loads((DOCS / "results.schema.json").read_text("utf-8"))
PAGE = (DOCS / "results.md").read_text("utf-8")


class Fails(Reconstructor):
    """Cannot be trained."""

    name = "fails"
    summary = "for tests"

    def fit(self, scenes: Any, context: Any) -> "Fails":
        raise RuntimeError("it broke")

    def reconstruct(self, rgb: Any) -> Any:
        return np.zeros((*rgb.shape[:2], 31), np.float32)

    def state(self) -> Any:
        return {}, {}

    @classmethod
    def from_state(cls, settings: Any, arrays: Any, config: Any) -> "Fails":
        return cls()


def infinite(*_: Any) -> Score:
    return Score(float("inf"), 1.0)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Records of every kind: failed, with a ceiling, influence, training scores, tiles, conditions and costs."""
    plugin = SimpleNamespace(
        specrec_reconstructors=hookimpl(lambda: [Fails]),
        specrec_metrics=hookimpl(lambda: [Metric("m-inf", "1", "0..1", False, "one", "", infinite)]),
    )
    registry().add(plugin, "schema-distribution", "1.0")
    folder = tmp_path_factory.mktemp("schema")
    text = "dataset = 'synthetic'\noptions = {scenes = 4, size = 32}\nscore_training = 1\ninfluence = 1\nceiling = 4\n"
    text += "robustness = ['jpeg=50', 'cross-data']\ncross = 'synthetic[world=1,scenes=4,size=32]'\ncross_scenes = 1\n"
    (folder / "all.toml").write_text(f"{text}tiles = 'separate:16'\n")
    common: dict[str, Any] = {"jobs": 0, "device": "cpu", "limit": 2}
    bench("fails,linear,pixel[steps=2,batch=16]", protocol=str(folder / "all.toml"), output=folder / "r", **common)
    yield [folder / "r" / "manifest.json", *sorted((folder / "r" / "cells").rglob("*.json"))]
    del registry().reconstructors["fails"]
    del registry().metrics["m-inf"]


def test_the_schema_is_one_and_of_the_version_that_is_written() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["cell"]["properties"]["results_version"]["const"] == RESULTS_VERSION


def test_every_file_of_a_bench_is_as_the_schema_says(files: list[Path]) -> None:
    for path in files:
        part = {"$ref": f"#/$defs/{'manifest' if path.name == 'manifest.json' else 'cell'}"}
        value = json.loads(path.read_text("utf-8"))
        whole = {**part, "$defs": SCHEMA["$defs"]}
        found = Draft202012Validator(whole).iter_errors(value)
        assert [f"{error.json_path}: {error.message}" for error in found] == []
    assert {json.loads(path.read_text())["status"] for path in files[1:]} == {"done", "failed"}


def test_the_records_of_the_test_have_every_key_that_the_schema_knows(files: list[Path]) -> None:
    cell, image = (SCHEMA["$defs"][name] for name in ("cell", "image"))
    records = [json.loads(path.read_text("utf-8")) for path in files[1:]]
    assert {key for record in records for key in record} == set(cell["properties"])
    images = [one for record in records for kind in ("images", "training_images") for one in record.get(kind, [])]
    assert {key for one in images for key in one} == set(image["properties"])
    assert any(record.get("training_images") for record in records)
    assert any(one["scores"]["m-inf"][0] == "inf" for one in images)
    assert any("rmse@matched" in one["scores"] for one in images)


@pytest.mark.parametrize(
    "change", [{"fold": "0"}, {"key": "short"}, {"status": "gone"}, {"new_key": 1}, {"images": None}], ids=str
)
def test_a_record_that_is_another_thing_is_refused(files: list[Path], change: dict[str, Any]) -> None:
    record = next(value for value in (json.loads(path.read_text()) for path in files[1:]) if value["status"] == "done")
    validator = Draft202012Validator({**SCHEMA["$defs"]["cell"], "$defs": SCHEMA["$defs"]})
    assert validator.is_valid(record)
    assert not validator.is_valid({**record, **change})


@pytest.mark.parametrize("part", ["cell", "decided_by", "image", "manifest", "scene"])
def test_the_page_has_every_key_in_words(part: str) -> None:
    for key in SCHEMA["$defs"][part]["properties"]:
        assert f"`{key}`" in PAGE, f"docs/results.md does not name {key} of {part}"
