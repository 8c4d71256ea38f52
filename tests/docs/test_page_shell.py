"""A program that goes on is begun beside the commands of a page, and ended with all that it has started."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_run import entry_of, failures_of
from page_shell import PageShell, free_port
from shown_commands import shown_in

SERVER = """\
import http.server, subprocess, sys
child = subprocess.Popen(["sleep", "600"])
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)
print("serving", child.pid, flush=True)
server.serve_forever()
"""
ASKS = "import sys, urllib.request as r; sys.exit(r.urlopen(sys.argv[1]).status != 200)"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[PageShell]:
    made = PageShell(tmp_path / "page", {})
    (made.folder / "server.py").write_text(SERVER, "utf-8")
    (made.folder / "asks.py").write_text(ASKS, "utf-8")
    yield made
    made.end()


def lives(process: int) -> bool:
    """Whether a process runs; one that has ended and is waited for by nobody does not."""
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked for in /proc")
def test_what_goes_on_serves_what_follows_and_ends_with_its_page(
    shell: PageShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setattr("page_run.GOES_ON", [{"begins": "python server.py", "ready": "serving"}])
    page = "    python server.py 9 &\n    python asks.py http://somewhere:80/\n"
    said = {"server.py 9": f"server.py {port}", "somewhere:80": f"127.0.0.1:{port}"}
    assert list(failures_of(shell, list(shown_in(page, "page.md")), said)) == []
    word, child = (shell.folder.parent / "going0.txt").read_text().split()[:2]
    assert word == "serving"
    assert lives(int(child))
    shell.end()
    until = time.monotonic() + 20
    while lives(int(child)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not lives(int(child))


def test_what_ends_or_is_never_ready_is_told(shell: PageShell) -> None:
    told = shell.begin("python -c 'print(5); raise SystemExit(3)'", "ready")
    assert told is not None
    assert told.startswith("ended with 3\n5")
    assert shell.begin("sleep 600", "ready", seconds=0.1) == "is not ready\n"


def test_a_table_speaks_of_whole_commands_or_of_their_first_words() -> None:
    whole, first = {"command": "sbatch one.sh"}, {"begins": "dask worker"}
    table = [whole, first]
    assert entry_of("sbatch one.sh", table) is whole
    assert entry_of("dask worker node1:8786", table) is first
    assert entry_of("dask worker", table) is first
    assert entry_of("CUDA_VISIBLE_DEVICES=0 dask worker --nthreads 1", table) is first
    for other in ("sbatch one.sh two", "sbatch", "dask workers", "dask"):
        assert entry_of(other, table) == {}
