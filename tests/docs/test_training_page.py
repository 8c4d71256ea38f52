"""The network of the page on training is trained as it stands there."""

import re
from pathlib import Path
from typing import Any

from specrec.interfaces import FitContext
from specrec.scenes import TrainingScene

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


def test_the_network_of_the_page_learns(training_scenes: list[TrainingScene], tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)
    context = FitContext(checkpoint=tmp_path / "small.checkpoint.safetensors")
    _, curve = found["fit"](training_scenes, context)
    assert curve[-1]["step"] == 200
    assert curve[-1]["l1"] < 0.7 * curve[0]["l1"]
