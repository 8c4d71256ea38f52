"""What a plugin changes for the whole process while it is loaded is put back, and told."""

import logging
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from strangers import GOOD, Site

CHANGES = {
    "the working folder": "import os; os.chdir('/')",
    "the environment (HOME, OMP_NUM_THREADS, SPECREC_CACHE)": (
        "import os; os.environ.pop('HOME'); os.environ['OMP_NUM_THREADS'] = '99'; os.environ['SPECREC_CACHE'] = '/no'"
    ),
    "numpy's errors": "import numpy; numpy.seterr(all='raise')",
    "warnings into errors": "import warnings; warnings.simplefilter('error', EncodingWarning)",
    "the recursion limit": "import sys; sys.setrecursionlimit(sys.getrecursionlimit() + 5)",
    "what signals do": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "the root logger": "import logging; logging.basicConfig(level=1, force=True)",
    "the list of loaded modules": "import sys; del sys.modules['json'], sys.modules['specrec.scenes']",
    "torch's settings": "import torch; torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False)",
}


def surroundings() -> list[Any]:
    root = logging.getLogger()
    found = [Path.cwd(), dict(os.environ), np.geterr(), list(warnings.filters), sys.getrecursionlimit()]
    found += [signal.getsignal(signal.SIGTERM), root.level, list(root.handlers)]
    found += [sys.modules.get("json"), sys.modules.get("specrec.scenes")]
    return [*found, torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()]


@pytest.mark.usefixtures("untried")
@pytest.mark.parametrize("where", ["on import", "in a hook"])
@pytest.mark.parametrize("what", CHANGES)
def test_what_a_plugin_changes_for_all_is_put_back_and_told(
    site: Site, what: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    change, good = CHANGES[what], GOOD.format(name="mine")
    code = f"{change}\n{good}" if where == "on import" else good.replace("return [Grey]", f"{change}; return [Grey]")
    site.install("mine", code)
    before = surroundings()
    found = site.load()
    assert surroundings() == before
    assert "mine" in found.reconstructors
    assert [one.words for one in found.remarks] == [f"changes {what} {where}; it was changed back"]


@pytest.mark.usefixtures("untried")
def test_it_is_put_back_after_an_import_that_fails_too(site: Site) -> None:
    site.install("mine", "import os; os.chdir('/'); raise ValueError")
    before = Path.cwd()
    assert len(site.load().broken) == 1
    assert Path.cwd() == before


@pytest.mark.usefixtures("untried")
def test_what_libraries_set_for_themselves_stays_without_a_word(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    code = "import os, warnings; os.environ['OF_A_LIBRARY'] = '1'; warnings.filterwarnings('ignore', 'of a library')\n"
    site.install("mine", code + GOOD.format(name="mine"))
    with warnings.catch_warnings():
        assert site.load().remarks == []
        assert "of a library" in str(warnings.filters[0])
    assert os.environ["OF_A_LIBRARY"] == "1"


def test_a_plugin_that_loads_torch_and_changes_it_is_found_out(site: Site) -> None:
    site.install("mine", "import torch; torch.set_default_dtype(torch.float64)\n" + GOOD.format(name="mine"))
    done = site.run("methods")
    assert "mine: remark (specrec-mine): changes torch's settings on import; it was changed back" in done.stdout
