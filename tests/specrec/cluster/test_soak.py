"""Two hundred small cells on four workers that are killed at random: every cell once, and the table of one process."""

import os
import random
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from loopback import Loopback, children, until

from specrec.bench.run import bench
from specrec.bench.watching import Watcher

CELLS = 200
PROTOCOL = f"dataset = 'synthetic'\noptions = {{scenes = 4, size = 32}}\nruns = {CELLS // 4}\n"


class Notes(Watcher):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, words: str) -> None:
        self.said.append(words)


@pytest.mark.slow  # the processes of 200 cells, and of those begun again, take 5 minutes of CPU
def test_every_cell_is_there_once_while_workers_are_killed_at_random(tmp_path: Path) -> None:
    protocol = tmp_path / "soak.toml"
    protocol.write_text(PROTOCOL)
    serial = bench("mean,linear", protocol=str(protocol), output=tmp_path / "serial", jobs=0)
    cluster = Loopback(tmp_path / "cluster")
    nannies = [cluster.worker(nanny=True) for _ in range(4)]
    over, killed, notes = threading.Event(), [], Notes()
    choice = random.Random(7)

    def kill() -> None:
        while not over.wait(choice.uniform(1.0, 5.0)):
            workers = [pid for nanny in nannies for pid in children(nanny.pid, "spawn_main")]
            if workers:
                with suppress(OSError):
                    os.kill(choice.choice(workers), signal.SIGKILL)
                    killed.append(workers)

    killer = threading.Thread(target=kill)
    try:
        until(lambda: all(children(nanny.pid, "spawn_main") for nanny in nannies))
        killer.start()
        soaked = bench(
            "mean,linear", protocol=str(protocol), output=tmp_path / "soaked", dask=cluster.address, watcher=notes
        )
    finally:
        over.set()
        if killer.ident is not None:
            killer.join()
        cluster.end()
    print(f"{len(killed)} workers killed; {sum('was lost' in note for note in notes.said)} cells begun again")  # noqa: T201
    assert len(killed) > 10
    assert soaked.failed == ()
    assert set(soaked.records) == set(serial.records)
    assert len(soaked.records) == CELLS
    assert (tmp_path / "soaked" / "table.csv").read_bytes() == (tmp_path / "serial" / "table.csv").read_bytes()
    assert not list((tmp_path / "soaked").rglob(".*"))
