"""What a plugin prints while it is loaded reaches nobody's standard output, and is told."""

import subprocess
import sys

import pytest
from strangers import GOOD, Site

WAYS = {
    "print": "print('hello')",
    "descriptor": "import os; os.write(1, b'hello\\n')",
    "process": "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(\"hello\")'], check=True)",
    "libc": "import ctypes; ctypes.CDLL(None).puts(b'hello')",
    "closed": "import sys; print('hello', flush=True); sys.stdout.close()",
}


@pytest.mark.usefixtures("untried")
@pytest.mark.parametrize("way", WAYS)
def test_what_a_plugin_prints_on_import_is_a_remark(site: Site, way: str, capfd: pytest.CaptureFixture[str]) -> None:
    site.install("loud", WAYS[way] + GOOD.format(name="loud"))
    found = site.load()
    assert "loud" in found.reconstructors
    [remark] = found.remarks
    assert (remark.name, remark.distribution) == ("loud", "specrec-loud")
    assert remark.words == "prints on import, which would spoil what specrec writes: hello"
    sys.stdout.write("mine\n")
    assert capfd.readouterr().out == "mine\n"


@pytest.mark.usefixtures("untried")
def test_what_a_hook_prints_is_a_remark_too(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    site.install("loud", GOOD.format(name="loud").replace("return [Grey]", "print('hello'); return [Grey]"))
    [remark] = site.load().remarks
    assert remark.words.startswith("prints in a hook")
    assert capfd.readouterr().out == ""


@pytest.mark.usefixtures("untried")
def test_a_stream_that_a_plugin_keeps_goes_to_the_standard_error(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    site.install("keeper", "import sys\nkept = sys.stdout\n" + GOOD.format(name="keeper"))
    site.load()
    sys.modules["hostile_keeper"].kept.write("later\n")
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "later\n")


def test_what_is_printed_during_work_goes_to_the_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    from specrec.registry.printing import on_standard_error

    with on_standard_error():
        sys.stdout.write("work\n")
        subprocess.run([sys.executable, "-c", "print('process')"], check=True)
    sys.stdout.write("data\n")
    said = capfd.readouterr()
    assert said.out == "data\n"
    assert set(said.err.split()) == {"work", "process"}


def test_there_may_be_no_standard_output() -> None:
    code = (
        "import os, sys; os.close(1); sys.stdout = None\n"
        "from specrec.registry.printing import on_standard_error\n"
        "with on_standard_error(): print('work')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "work\n"
