"""Time and memory of a bench over many small cells that are there already: planning, reading, and the table.

    python benchmarks/speed/many_cells.py --cells 1000 10000

Each line is a process of its own. The cells are made, not computed: two scenes of 32 x 32 pixels per cell and as many
scores as specrec has metrics. With ``--shape runs`` 4 methods are run many times; with ``--shape methods`` many
methods once.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict
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

    before, started = peak(), time.perf_counter()
    if part == "planning":
        plan = make_plan(names, "synthetic[scenes=4,size=32]", runs=runs, ceiling=0, limit=2, output=folder)
        facts = survey(plan.source, plan.split.used)
        stock = take_stock(planned_cells(plan, Data(facts), save_cubes=False), "failed", Overwriting(folder))
        assert not stock.missing
        assert not stock.notes, stock.notes
    else:
        results = read_results(folder)
        if part == "table":
            started = time.perf_counter()
            for form in ("md", "csv", "tex", "json"):
                results.table(form)
    seconds = time.perf_counter() - started
    print(f"{seconds:.2f} s, {peak() - before:.0f} MiB beside {before:.0f} MiB of imports")


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--shape", choices=["runs", "methods"], default="runs")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        folder, runs, part = options.measure
        measure(Path(folder), (Path(folder) / "methods.txt").read_text(), int(runs), part)
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
