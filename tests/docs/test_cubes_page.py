"""The page on file formats: its snippets run on files that specrec wrote, and give the cube's own numbers."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specrec.cubes import DTYPES, FORMS, SUFFIXES, check_form, write_cube
from specrec.errors import UsageError
from specrec.spectra import WAVELENGTHS

PAGE = (Path(__file__).parents[2] / "docs" / "cubes.md").read_text("utf-8")
BLOCKS = [
    re.sub("^    ", "", block, flags=re.MULTILINE) for block in re.findall(r"(?:^    .*\n|^\n)+", PAGE, re.MULTILINE)
]
SNIPPETS = [block for block in BLOCKS if "import " in block]


def test_every_form_has_a_snippet() -> None:
    assert len(SNIPPETS) == 1 + len(FORMS)
    for suffix in SUFFIXES.values():
        assert [snippet for snippet in SNIPPETS if f"photo{suffix}" in snippet], suffix


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.split()[1].strip(","))
def test_a_snippet_runs_and_gives_the_numbers_of_the_cube(
    snippet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cube = np.random.default_rng(0).random((16, 24, 31), dtype=np.float32)
    for form, suffix in SUFFIXES.items():
        if "write_cube" not in snippet or form == "hdf5":
            write_cube(tmp_path / f"photo{suffix}", cube, WAVELENGTHS, {"quantity": "radiance"})
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    exec(snippet, found)
    expected = {
        "cube": cube, "spectrum": cube[10, 20], "wavelengths": WAVELENGTHS, "green": cube[..., 15],
        "planes": np.moveaxis(cube, -1, 0),
    }  # fmt: skip
    checked = [name for name in expected if name in found]
    assert checked
    for name in checked:
        np.testing.assert_allclose(np.squeeze(getattr(found[name], "cube", found[name])), expected[name], rtol=2e-7)
    if "xarray" in found:
        found["cube"].close()


def test_the_table_names_the_types_that_each_form_has() -> None:
    for form, suffix in SUFFIXES.items():
        (row,) = re.findall(rf"^\| `{form}` \|.*$", PAGE, re.MULTILINE)
        for dtype in DTYPES:
            try:
                check_form(f"a{suffix}", form, dtype)
            except UsageError:
                assert dtype not in row
            else:
                assert dtype in row
