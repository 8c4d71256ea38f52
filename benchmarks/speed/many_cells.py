"""Time and memory of a bench over many small cells that are there already: planning, reading, and the table.

    python benchmarks/speed/many_cells.py --cells 1000 10000

Each line is a process of its own. The cells are made, not computed: two scenes of 32 x 32 pixels per cell and as many
scores as specrec has metrics. With ``--shape runs`` 4 methods are run many times; with ``--shape methods`` many
methods once.

    python benchmarks/speed/many_cells.py --ratios

shows what the fast parts of that are worth against plain ones with the same results: each ratio is of processor time,
the best of three.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from itertools import starmap
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

FEW = 4


def make(folder: Path, count: int, shape: str) -> tuple[str, int]:
    """Store `count` cells in two folds; return the methods and the number of runs."""
    from specrec.bench.data import Data
    from specrec.bench.manifest import make_manifest, write_manifest
    from specrec.bench.plan import make_plan
    from specrec.bench.planned_cells import planned_cells
    from specrec.cells.key import installed
    from specrec.cells.records import head, metric_code
    from specrec.datasets.survey import survey
    from specrec.registry import registry

    methods = FEW if shape == "runs" else count // 2
    names = ",".join(f"pixel[steps={1 + index}]" for index in range(methods))
    runs = count // (2 * methods)
    plan = make_plan(names, "synthetic[scenes=4,size=32]", runs=runs, ceiling=0, limit=2, output=folder)
    facts = survey(plan.source, plan.split.used)
    described = make_manifest(plan.protocol, plan.split, {name: asdict(one) for name, one in facts.facts.items()})
    described.methods.update({slug: written for slug, (written, _) in plan.methods.items()})
    described.installed.update({slug: installed(method.name) for slug, (_, method) in plan.methods.items()})
    write_manifest(folder, described)
    rng = np.random.default_rng(0)
    versions, code = {"specrec": "0", "python": "3", "plugin": installed("pixel")["plugin"]}, metric_code()
    for cell in planned_cells(plan, Data(facts), save_cubes=False):
        images = [
            {
                "scene": name,
                "valid_pixels": 1024,
                "scores": {metric: [float(rng.random()), 1024.0, 0.0] for metric in registry().metrics},
            }
            for name in cell.test
        ]
        record = head(cell) | {
            "status": "done", "device": "cpu", "input": "srgb8", "images": images, "training_images": [], "curve": [],
            "fit_seconds": 1.0, "fit_cpu_seconds": 1.0, "starts": 1, "reconstruct_seconds": 0.1,
            "reconstruct_cpu_seconds": 0.1, "megapixels": 0.001, "broken_metrics": {}, "parameter_count": 31,
            "receptive_field": 1, "peak_memory_bytes": 10**8, "cubes_saved": False, "processor": "made",
            "accelerator": None, "versions": versions, "metric_code": code,
        }  # fmt: skip
        cell.path.parent.mkdir(parents=True, exist_ok=True)
        cell.path.write_text(json.dumps(record, indent=1), "utf-8")
    return names, runs


def measure(folder: Path, names: str, runs: int, part: str) -> None:
    """Do one part, and print its seconds and the memory it took beyond what the imports do."""
    from specrec.bench.data import Data
    from specrec.bench.overwriting import Overwriting
    from specrec.bench.plan import make_plan
    from specrec.bench.planned_cells import planned_cells
    from specrec.bench.results import read_results
    from specrec.bench.stock import take_stock
    from specrec.datasets.survey import survey
    from specrec.registry import registry

    registry()
    import scipy.stats  # noqa: F401 - the table's statistics import it

    before, started, begun = peak(), time.perf_counter(), time.process_time()
    if part == "planning":
        plan = make_plan(names, "synthetic[scenes=4,size=32]", runs=runs, ceiling=0, limit=2, output=folder)
        facts = survey(plan.source, plan.split.used)
        stock = take_stock(planned_cells(plan, Data(facts), save_cubes=False), "failed", Overwriting(folder))
        assert not stock.missing
        assert not stock.notes, stock.notes
    else:
        results = read_results(folder)
        if part == "table":
            started, begun = time.perf_counter(), time.process_time()
            for form in ("md", "csv", "tex", "json"):
                results.table(form)
    wall, processor = time.perf_counter() - started, time.process_time() - begun
    memory = f"{peak() - before:.0f} MiB beside {before:.0f} MiB of imports"
    print(f"{wall:.2f} s ({processor:.2f} s of the processor), {memory}")


def ratios() -> None:
    """Print how much faster, or smaller, what a table is made with is than the plain way."""
    import tracemalloc
    from unicodedata import category

    from scipy import stats

    from specrec.bench.paired import intervals, wilcoxon, wilcoxon_of_all
    from specrec.bench.scores import SceneScores
    from specrec.cells.record_form import is_line
    from specrec.cells.records import read
    from specrec.cells.shared_parts import Known, shared
    from specrec.robustness.observer import observed

    rng = np.random.default_rng(0)
    for kind, scores in (("no ties", rng.random((40, 24))), ("ties", rng.integers(1, 6, (40, 5)).astype(float))):
        every = list(scores)
        pairs = [(one, other) for place, one in enumerate(every) for other in every[place + 1 :]]
        plain = seconds(lambda pairs=pairs: list(starmap(wilcoxon, pairs)))
        fast = seconds(partial(wilcoxon_of_all, every))
        print(f"pairs of methods with {kind}, together: {plain / fast:.1f} times")
    tied = np.array([1.0, -1.0, 2.0, 2.0, -3.0, 4.0, 4.0, 5.0])
    tried = seconds(lambda: stats.wilcoxon(tied, method=stats.PermutationMethod()))
    print(f"signs with ties, counted and not tried: {tried / seconds(lambda: wilcoxon(tied, 0.0 * tied)):.0f} times")
    names = tuple(map(str, range(24)))
    best, *others = [SceneScores(names, rng.random((1, 24)), np.ones((1, 24))) for _ in range(100)]
    alone = seconds(lambda: [intervals([one], best) for one in others])
    print(f"intervals, together: {alone / seconds(lambda: intervals(others, best)):.1f} times")
    words = ["synthetic[scenes=4,size=32]", "921a0c12714d9529bc60d31562882c5471372e50235fdabd655ebfa8d2aed7ba"] * 5000
    letters = seconds(lambda: [not any(category(one) in ("Cc", "Zl", "Zp") for one in word) for word in words])
    print(f"texts of one line: {letters / seconds(lambda: list(map(is_line, words))):.1f} times")
    with TemporaryDirectory() as scratch:
        make(Path(scratch), 400, "runs")
        paths, taken = sorted(Path(scratch).glob("cells/*/*.json")), []
        for keep in (lambda record, _known: record, shared):
            known: Known = {}
            tracemalloc.start()
            kept = [keep(read(path), known) for path in paths]
            taken.append(tracemalloc.get_traced_memory()[0] / len(kept) / 1000)
            tracemalloc.stop()
    print(f"memory of a record that is kept: {taken[0]:.1f} kB as read, {taken[1]:.1f} kB as kept")
    observed(np.ones(31), "cie1931")  # so that the table is there
    code = "from specrec.robustness.observer import observed; observed([1.0] * 31, 'cie1931')"
    fresh = [in_a_process(f"{before}{code}") for before in ("import colour, colour.characterisation; ", "")]
    print(f"a process that needs another observer: {fresh[0]:.2f} s, with the table from the cache {fresh[1]:.2f} s")


def seconds(call: Callable[[], object]) -> float:
    """Best of three, in seconds of this process's processor time."""
    found = []
    for _ in range(3):
        started = time.process_time()
        call()
        found.append(time.process_time() - started)
    return min(found)


def in_a_process(code: str) -> float:
    """Best of three, in seconds of processor time, of a Python that runs `code`."""
    found = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--shape", choices=["runs", "methods"], default="runs")
    parser.add_argument("--ratios", action="store_true", help="of the fast parts and plain ones, and nothing else")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        folder, runs, part = options.measure
        measure(Path(folder), (Path(folder) / "methods.txt").read_text(), int(runs), part)
        return
    if options.ratios:
        ratios()
        return
    for count in options.cells:
        with TemporaryDirectory() as scratch:
            names, runs = make(Path(scratch), count, options.shape)
            (Path(scratch) / "methods.txt").write_text(names)  # too long for a command line
            for part in ("planning", "reading", "table"):
                words = [sys.executable, __file__, "--measure", scratch, str(runs), part]
                said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
                print(f"{count} cells ({options.shape}), {part}: {said}", end="", flush=True)


if __name__ == "__main__":
    main()
