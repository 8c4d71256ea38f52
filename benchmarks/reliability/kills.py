"""Kill -9 at random moments: of a bench, of a Dask worker, of the scheduler; what is left must lead to the same table.

    python benchmarks/reliability/kills.py --what bench,worker,scheduler --times 20 --seed 0

For each kind a small bench runs on a scheduler and two workers of this machine. The victim is killed at a seeded
moment, counted from when the first cell is at work, within the time for which cells are at work in an undisturbed
bench; a worker that is killed has a cell. A moment at which no cell is at work is no trial: nothing is killed, and the
next moment is drawn, until there are as many kills as were asked for. A bench that has ended is started again, a
scheduler too. Held afterwards, each time: the last start ends with exit code 0; every cell is there once; ``table.csv``
is byte-equal to that of an undisturbed bench in local processes; nothing hidden is left in the results folder; and ten
seconds after a kill that ends the bench no process of a cell computes on.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROTOCOL = """
dataset = "synthetic"
options = {scenes = 4, size = 32}
metrics = ["rmse", "rrmse", "gfc", "de2000"]
"""
MARK = "SPECREC_KILLS"
"""An environment variable by which the processes of this script are told from others."""
MISSED = 5
"""So many times as many moments may miss as shall hit, before that is given up."""
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Cluster:
    """A scheduler and two workers, whose nannies start a killed worker again."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.file = folder / "scheduler.json"
        self.file.unlink(missing_ok=True)
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file)
        )
        while not (self.file.exists() and self.file.read_bytes().rstrip().endswith(b"}")):  # it is written in steps
            time.sleep(0.05)
        words = ["--host", "127.0.0.1", "--no-dashboard", "--nthreads", "1", "--scheduler-file", str(self.file)]
        self.workers = [self._start("worker", *words, "--local-directory", str(folder)) for _ in range(2)]

    def _start(self, what: str, *words: str) -> "subprocess.Popen[bytes]":
        module = f"distributed.cli.dask_{what}"
        return subprocess.Popen(
            [sys.executable, "-m", module, *words], env=self.environment, start_new_session=True, **QUIET
        )

    def worker_processes(self) -> list[int]:
        """Find the processes below the nannies that are the workers."""
        return [pid for nanny in self.workers for pid in children(nanny.pid) if "spawn_main" in command_of(pid)]

    def end(self) -> None:
        """Kill all that is left."""
        for process in (self.scheduler, *self.workers):
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    """List what any thread of a process has started."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def cells_at_work(mark: str) -> list[int]:
    """List the processes of cells that belong to this script."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in (path / "environ").read_bytes():
                found += [int(path.name)] * ("specrec.cells.worker" in command_of(int(path.name)))
    return found


def bench(folder: Path, results: Path, methods: str, environment: dict[str, str], *words: str) -> "subprocess.Popen":
    protocol = folder / "small.toml"
    protocol.write_text(PROTOCOL)
    where = ["--protocol", str(protocol), "-m", methods, "-o", str(results), "--device", "cpu", *words]
    return subprocess.Popen([sys.executable, "-m", "specrec", "bench", *where], env=environment, **QUIET)


@contextmanager
def scratch(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="specrec-kills-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def kill(what: str, running: "subprocess.Popen", cluster: Cluster, mark: str, choice: random.Random) -> bool:
    """Kill the victim, where a cell is at work now."""
    cells = set(cells_at_work(mark))
    if running.poll() is not None or not cells:
        return False
    if what == "bench":
        running.kill()
    elif what == "scheduler":
        cluster.scheduler.kill()
    else:
        workers = sorted(pid for pid in cluster.worker_processes() if cells & set(children(pid)))
        if not workers:
            return False
        os.kill(choice.choice(workers), signal.SIGKILL)
    return True


def first_cell(running: "subprocess.Popen", mark: str) -> None:
    """Wait until a cell is at work, or the bench has ended."""
    while running.poll() is None and not cells_at_work(mark):
        time.sleep(0.02)


def trial(
    what: str, after: float, folder: Path, methods: str, reference: Path, choice: random.Random
) -> Counter[str] | None:
    """Kill once, go on, and hold the results against the reference; None where no cell was at work then."""
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    environment = {**os.environ, MARK: mark}
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    seen: Counter[str] = Counter({"killed while cells were at work": 1})
    cluster = Cluster(folder, environment)
    try:
        running = bench(folder, results, methods, environment, "--dask", str(cluster.file))
        first_cell(running, mark)
        time.sleep(after)
        if not kill(what, running, cluster, mark, choice):
            running.kill()
            running.wait()
            return None
        killed_at = time.monotonic()
        code = running.wait(600)
        if what == "scheduler" and code:
            seen["seconds to the end, at most"] = round(time.monotonic() - killed_at)
        seen[f"exit code {code} at first"] += 1
        if code:
            time.sleep(max(0.0, killed_at + 10 - time.monotonic()))
            seen["cells that computed on"] += len(cells_at_work(mark))
            if what == "scheduler":
                cluster.end()
                cluster = Cluster(folder, environment)
            kept = len(list((results / "cells").rglob("*-run?.json")))
            code = bench(folder, results, methods, environment, "--dask", str(cluster.file)).wait(600)
            seen["goes on from finished cells"] += kept > 0
        seen["ends with exit code 0"] += code == 0
        same = (results / "table.csv").is_file() and (results / "table.csv").read_bytes() == reference.read_bytes()
        seen["same table"] += same
        cells = [path.relative_to(results) for path in (results / "cells").rglob("*-run?.json")]
        wanted = [path.relative_to(reference.parent) for path in (reference.parent / "cells").rglob("*-run?.json")]
        seen["every cell once"] += sorted(cells) == sorted(wanted)
        hidden = [path.relative_to(results) for path in results.rglob(".*")]
        seen["nothing hidden is left"] += not hidden
        if hidden:
            print(f"  left: {', '.join(map(str, hidden))}", flush=True)
    finally:
        cluster.end()
    return seen


def undisturbed(folder: Path, methods: str) -> float:
    """Time a bench that nobody kills, on a cluster: seconds between its first cell and its last."""
    shutil.rmtree(folder / "results", ignore_errors=True)
    mark = f"{os.getpid()}-undisturbed"
    environment = {**os.environ, MARK: mark}
    cluster = Cluster(folder, environment)
    try:
        running = bench(folder, folder / "results", methods, environment, "--dask", str(cluster.file))
        first_cell(running, mark)
        begun = last = time.monotonic()
        while running.poll() is None:
            last = time.monotonic() if cells_at_work(mark) else last
            time.sleep(0.02)
        if running.returncode:
            sys.exit("the undisturbed bench on the cluster failed")
        return last - begun
    finally:
        cluster.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", default="bench,worker,scheduler")
    parser.add_argument("--times", type=int, default=20, help="kills of each kind that hit [default: 20]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", default="mean,linear")
    parser.add_argument("--folder", type=Path, help="for everything [default: a temporary one]")
    given = parser.parse_args()
    with scratch(given.folder) as folder:
        plain = dict(os.environ)
        shutil.rmtree(folder / "undisturbed", ignore_errors=True)
        if bench(folder, folder / "undisturbed", given.methods, plain, "--jobs", "2").wait(600):
            sys.exit("the undisturbed bench failed")
        duration = undisturbed(folder, given.methods)
        print(f"undisturbed: cells for {duration:.1f} s; seed {given.seed}; methods {given.methods}", flush=True)
        for what in given.what.split(","):
            choice = random.Random(f"{given.seed} {what}")
            total: Counter[str] = Counter()
            number = missed = 0
            while number < given.times:
                after = choice.uniform(0.0, duration)
                seen = trial(what, after, folder, given.methods, folder / "undisturbed" / "table.csv", choice)
                if seen is None:
                    missed += 1
                    print(f"  {what}, after {after:.1f} s: no cell was at work", flush=True)
                    if missed > MISSED * given.times:
                        sys.exit(f"{missed} moments at which no cell was at work; is this machine busy otherwise?")
                    continue
                number += 1
                longest = max(total["seconds to the end, at most"], seen.pop("seconds to the end, at most", 0))
                total += seen
                if longest:
                    total["seconds to the end, at most"] = longest
                print(f"  {what} {number}, {after:.1f} s after the first cell: {dict(seen)}", flush=True)
            print(f"{what}: {dict(total)}; moments without a cell at work, not counted: {missed}", flush=True)


if __name__ == "__main__":
    main()
