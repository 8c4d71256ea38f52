import subprocess
import sys
from pathlib import Path

import pytest

from specrec import memory

MEMINFO = "MemTotal:       24684092 kB\nMemFree:        19931204 kB\nMemAvailable:   1000 kB\n"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system with 1000 kB available and no control groups."""
    for name, file in (("_MEMINFO", "meminfo"), ("_OWN_GROUPS", "own"), ("_GROUPS", "groups")):
        monkeypatch.setattr(memory, name, tmp_path / file)
    monkeypatch.setattr(memory, "_of_the_address_space", lambda: iter(()))
    (tmp_path / "meminfo").write_text(MEMINFO)
    return tmp_path


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name.replace("__", ".")).write_text(f"{value}\n")


def test_the_system_says_what_is_available(system: Path) -> None:
    assert memory.available_memory() == 1000 << 10


def test_the_tightest_control_group_of_version_2_counts(system: Path) -> None:
    (system / "own").write_text("0::/job/step\n")
    write(system / "groups" / "job", memory__max=600_000, memory__current=500_000, memory__stat="inactive_file 3000")
    write(system / "groups" / "job" / "step", memory__max="max", memory__current=1000)
    assert memory.available_memory() == 103_000


def test_a_control_group_of_version_1_counts_also_where_a_container_hides_its_name(system: Path) -> None:
    (system / "own").write_text("9:name=systemd:/\n4:cpu,memory:/docker/4711\n")
    groups = system / "groups" / "memory"
    write(groups, memory__limit_in_bytes=5000, memory__usage_in_bytes=4000, memory__stat="total_inactive_file 10")
    assert memory.available_memory() == 1010


def test_a_group_that_is_over_its_limit_leaves_nothing(system: Path) -> None:
    (system / "own").write_text("0::/\n")
    write(system / "groups", memory__max=10, memory__current=20)
    assert memory.available_memory() == 0


def test_a_system_that_says_nothing_is_taken_to_have_half_of_its_memory(system: Path) -> None:
    (system / "meminfo").unlink()
    assert memory.available_memory() > 1 << 28


@pytest.mark.skipif(sys.platform != "linux", reason="limits are set otherwise there")
def test_a_limit_of_the_address_space_counts() -> None:
    code = (
        "import resource; from specrec.memory import available_memory; "
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)); print(available_memory())"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert 0 < int(said) < 3 << 30
