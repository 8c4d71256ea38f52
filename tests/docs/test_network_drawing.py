"""The drawing of the networks on the page on fidelity is made of the networks as they are."""

import re
import runpy
from pathlib import Path

import pytest

from specrec_gan.generator import filters
from specrec_gan.method import Gan

DOCS = Path(__file__).parents[2] / "docs"
DRAWN = (DOCS / "network.svg").read_text("utf-8")
WORDS = [word.replace("\N{MULTIPLICATION SIGN}", "x") for word in re.findall(">([^<>]+)</text>", DRAWN)]


def test_it_is_what_its_script_makes() -> None:
    made = runpy.run_path(str(DOCS / "make_network_drawing.py"))["drawing"]()
    assert made == DRAWN, "run python docs/make_network_drawing.py"


def test_its_boxes_have_the_filters_of_the_encoder() -> None:
    for level, count in enumerate(filters(9, 64), start=1):
        side = 256 // 2**level
        assert f"{side} x {side} x {count}" in WORDS


@pytest.mark.parametrize("branches", range(1, 10))
def test_its_branches_see_what_the_method_declares(branches: int) -> None:
    (label,) = [word for word in WORDS if word.startswith(f"branch {branches}, sees ")]
    assert str(Gan(branches=branches).receptive_field) in label.split()


def test_the_page_shows_it() -> None:
    assert '--8<-- "docs/network.svg"' in (DOCS / "fidelity.md").read_text("utf-8")
