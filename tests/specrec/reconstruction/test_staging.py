"""The hidden folder of cubes on their way: gone at the end, and removed by the next where a process was killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from specrec.reconstruction.staging import OLD, PREFIX, staging


def test_it_is_beside_the_cubes_and_goes_also_after_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with staging(tmp_path / "out") as place:
            (place / "half").write_text("a cube")
            assert place.parent == tmp_path / "out"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks, and what is left stays")
def test_that_of_a_killed_process_is_removed_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from specrec.reconstruction.staging import staging\n"
        "with staging(Path(sys.argv[1])) as place: print(place, flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    left = Path(killed.stdout.strip())
    young, old = tmp_path / f"{PREFIX}young", tmp_path / f"{PREFIX}old"
    for folder in (young, old):
        folder.mkdir()
    os.utime(old, (0, left.stat().st_mtime - OLD - 1))
    assert left.is_dir()
    with staging(tmp_path) as place:
        assert not left.exists()
        with staging(tmp_path):
            assert place.is_dir()
        assert (young.is_dir(), old.is_dir()) == (True, False)
