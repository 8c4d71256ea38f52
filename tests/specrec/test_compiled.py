import subprocess
import sys
from pathlib import Path

import numpy as np

from specrec.compiled import compiled

PROGRAM = """
import numpy
from specrec.compiled import compiled

@compiled
def total(values):
    found = 0.0
    for value in values:
        found += value
    return found

assert total(numpy.ones(5)) == 5.0
"""


@compiled
def _quotients(numerators, denominators):
    found = np.empty_like(numerators)
    for place in range(len(numerators)):
        found[place] = numerators[place] / denominators[place]
    return found


def test_division_by_zero_gives_what_numpy_gives():
    found = _quotients(np.array([1.0, -1.0, 0.0]), np.zeros(3))
    np.testing.assert_array_equal(found, [np.inf, -np.inf, np.nan])


def test_where_no_folder_can_keep_the_code_it_is_compiled_all_the_same(tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    code = (
        "import numba.core.caching as caching, runpy; "
        "caching.CacheImpl._locator_classes = []; "
        f"runpy.run_path({str(program)!r})"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
