"""The networks of the page on training are trained as they stand there."""

import re
from pathlib import Path
from typing import Any

from specrec.interfaces import FitContext
from specrec.network import NetworkReconstructor
from specrec.scenes import TrainingScene

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


def examples() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL):
        found.append({})
        exec(code, found[-1])
    return found


def test_the_network_of_the_page_learns(training_scenes: list[TrainingScene]) -> None:
    first, _ = examples()
    method = first["Small"](steps=100, batch=4).fit(training_scenes, FitContext())
    assert method.history_[-1]["loss"] < 0.7 * method.history_[0]["loss"]


def test_the_tables_of_the_page_are_what_there_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    said = dict(rows)
    for name, parameter in NetworkReconstructor.parameters.items():
        assert said[name] == str(parameter.default).replace("True", "true")
    assert (said["grid"], said["channels_last"], said["version"]) == ("1", "True", "1")
    assert NetworkReconstructor.channels_last
    assert NetworkReconstructor.version == 1


def test_the_training_of_the_page_learns(training_scenes: list[TrainingScene], tmp_path: Path) -> None:
    _, found = examples()
    context = FitContext(checkpoint=tmp_path / "small.checkpoint.safetensors")
    _, curve = found["fit"](training_scenes, context)
    assert curve[-1]["step"] == 200
    assert curve[-1]["l1"] < 0.7 * curve[0]["l1"]
