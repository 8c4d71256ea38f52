"""A plugin that takes its process with it, or never comes back, does so in a process made for that, once."""

import json
import time
from pathlib import Path

import pytest
from strangers import GOOD, Site

from specrec.registry import trial

COUNTED = "import pathlib\nwith pathlib.Path({path!r}).open('a') as file: file.write('x')\n"


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    (tmp_path / "count").write_text("")
    return tmp_path / "count"


def test_a_plugin_that_kills_its_process_is_listed_and_tried_again_only_when_it_changes(
    site: Site, counter: Path
) -> None:
    counted = COUNTED.format(path=str(counter))
    module = site.install("killer", f"{counted}import os, sys\nprint('bye', file=sys.stderr)\nos._exit(0)")
    for _ in range(2):
        [broken] = site.load().broken
        assert broken.name == "killer"
        assert broken.reason.startswith("importing it kills the process (exit code 0: bye)")
        assert "specrec data clear" in broken.reason
    assert counter.read_text() == "x"
    module.write_text(counted + "# mended\n")
    for _ in range(2):
        assert site.load().broken == []
    assert counter.read_text() == "xxx"  # the first time, in the trial of the second, and here


def test_a_segmentation_fault_in_a_hook_is_named(site: Site) -> None:
    code = "from specrec import hookimpl\n@hookimpl\ndef specrec_metrics():\n import ctypes\n ctypes.string_at(0)\n"
    site.install("fault", code)
    [broken] = site.load().broken
    assert "kills the process (signal SIGSEGV" in broken.reason


def test_a_plugin_that_hangs_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "TIME_LIMIT", 1.0)
    site.install("sleeper", "import time\ntime.sleep(600)")
    [broken] = site.load().broken
    assert broken.reason.startswith("importing it takes over 1 s")


def test_a_cache_folder_that_cannot_be_written_costs_only_time(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SPECREC_CACHE", str(tmp_path / "file"))
    site.install("killer", "import os\nos._exit(3)")
    [broken] = site.load().broken
    assert "exit code 3" in broken.reason


def test_a_worker_is_told_and_tries_nothing(site: Site, counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("killer", "import os\nos._exit(3)")
    [before] = site.load().broken
    told = json.loads(trial.environment()[trial.KNOWN])
    assert told["killer of specrec-killer"] == before.reason
    monkeypatch.setattr(trial, "_try", lambda plugin: pytest.fail("it was tried"))
    monkeypatch.setenv(trial.KNOWN, json.dumps(told))
    site.install("young", COUNTED.format(path=str(counter)))
    assert site.load().broken == [before]
    assert counter.read_text() == "x"


def test_own_plugins_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    from specrec.registry import load_plugins
    from specrec.registry.loading import installed

    monkeypatch.setattr(trial, "_try", lambda plugin: pytest.fail("it was tried"))
    own = [point for point in installed() if point.dist is not None and point.dist.name == "specrec"]
    assert load_plugins(own).reconstructors


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_killing", {})


HOOK = (
    "import os, sys, signal\nfrom specrec import Metric, Reconstructor, hookimpl\nfrom specrec.errors import Stopped\n"
)
KILLING = {
    "after-a-hook-that-raises": (
        "@hookimpl\ndef specrec_metrics(): raise ValueError\n@hookimpl\ndef specrec_reconstructors(): os._exit(0)",
        "asking it what it offers kills the process (exit code 0)",
    ),
    "hook-of-another-name": (
        "@hookimpl(specname='specrec_metrics')\ndef mine(): os._exit(3)",
        "asking it what it offers kills the process (exit code 3)",
    ),
    "attribute-of-an-offer": (
        "class Odd:\n @property\n def name(self): os._exit(4)\n@hookimpl\ndef specrec_metrics(): return [Odd()]",
        "asking it what it offers kills the process (exit code 4)",
    ),
    "descriptor-of-a-method": (
        GOOD.format(name="mine") + "class Odd:\n def __get__(self, one, kind): os._exit(5)\nGrey.parameters = Odd()",
        "asking it what it offers kills the process (exit code 5)",
    ),
    "constructor": (
        GOOD.format(name="mine") + "def built(self, **given): os._exit(0)\nGrey.__init__ = built",
        "building its method 'mine' kills the process (exit code 0)",
    ),
    "exit-code-of-old": ("os._exit(87)", "importing it kills the process (exit code 87)"),
    "ctrl-c": ("raise KeyboardInterrupt", "it ends the program on import (KeyboardInterrupt)"),
    "stopped": ("raise Stopped", "it ends the program on import (Stopped)"),
    "signal": (
        "os.kill(os.getpid(), signal.SIGINT)\nimport time; time.sleep(5)",
        "it ends the program on import (KeyboardInterrupt)",
    ),
    "ctrl-c-in-a-hook": (
        "@hookimpl\ndef specrec_metrics(): raise KeyboardInterrupt",
        "it ends the program in a hook (KeyboardInterrupt)",
    ),
}


@pytest.mark.parametrize("way", KILLING)
def test_whatever_would_end_the_program_while_a_plugin_is_loaded_ends_the_trial(site: Site, way: str) -> None:
    code, reason = KILLING[way]
    site.install(way, HOOK + code)
    [broken] = site.load().broken
    assert (broken.name, broken.distribution) == (way, f"specrec-{way}")
    assert broken.reason.startswith(reason)


def test_a_function_that_is_no_hook_is_not_called(site: Site, counter: Path) -> None:
    clean = f"\ndef specrec_clean():\n open({str(counter)!r}, 'w').write('called')\n"
    site.install("mine", GOOD.format(name="mine") + clean)
    found = site.load()
    assert "mine" in found.reconstructors
    assert counter.read_text() == ""


def test_a_constructor_that_raises_is_no_matter_of_the_trial(site: Site) -> None:
    site.install("mine", GOOD.format(name="mine") + "def built(self, **given): raise OSError\nGrey.__init__ = built")
    found = site.load()
    assert "mine" in found.reconstructors
    assert found.broken == []


THREAD = "import threading, time\nthreading.Thread(target=time.sleep, args=({seconds},), daemon={daemon}).start()\n"


def test_a_thread_that_does_not_end_is_told_before_a_command_waits_for_it(site: Site) -> None:
    site.install("endless", THREAD.format(seconds=600, daemon=False) + GOOD.format(name="endless"))
    site.install("short", THREAD.format(seconds=0.2, daemon=False) + GOOD.format(name="short"))
    site.install("daemon", THREAD.format(seconds=600, daemon=True) + GOOD.format(name="daemon"))
    pool = "from concurrent.futures import ThreadPoolExecutor as Pool\npool = Pool(1)\npool.submit(int)\n"
    site.install("pool", pool + GOOD.format(name="pool"))
    found = site.load()
    [broken] = found.broken
    assert broken.name == "endless"
    assert broken.reason == "it starts a thread that does not end; start it as a daemon"
    assert set(found.reconstructors) == {"short", "daemon", "pool"}


@pytest.mark.parametrize(("how", "times"), [("SIGKILL", 2), ("SIGTERM", 1)])
def test_what_the_state_of_the_machine_may_have_decided_is_kept_for_an_hour(
    site: Site, counter: Path, monkeypatch: pytest.MonkeyPatch, how: str, times: int
) -> None:
    code = f"{COUNTED.format(path=str(counter))}import os, signal\nos.kill(os.getpid(), signal.{how})\n"
    site.install("killed", code)
    now = time.time()
    for later in (0, 3500, 3700):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        assert f"kills the process (signal {how})" in site.load().broken[0].reason
        assert len(counter.read_text()) == (times if later == 3700 else 1)
