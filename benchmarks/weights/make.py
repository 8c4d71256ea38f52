"""Make the shipped weights again: python benchmarks/weights/make.py gan,pixel,arad,linear --output FOLDER.

The scenes are made first, side by side. On a shared core, of which a quarter to
a half was left, `gan` took 27 minutes, `pixel` 24, `arad` 10, `linear` 2.
"""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from recipes import METHODS, TRAINING

from specrec.datasets import open_source
from specrec.reconstruction import train


def make_scenes(names: list[str]) -> None:
    open_source(TRAINING).prepare(names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", help="such as gan,pixel,arad,linear")
    parser.add_argument("--output", type=Path, required=True, help="a folder")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that make scenes")
    arguments = parser.parse_args()
    names = open_source(TRAINING).names()
    open_source(TRAINING).prepare(names[:1])  # the library of spectra is made once, not once per process
    with ProcessPoolExecutor(arguments.jobs) as pool:
        list(pool.map(make_scenes, [names[start :: arguments.jobs] for start in range(arguments.jobs)]))
    for method in arguments.methods.split(","):
        target = arguments.output / f"{method}.safetensors"
        start, told = time.time(), [0.0]

        def say(done: float, words: str, start: float = start, told: list[float] = told, method: str = method) -> None:
            if time.time() - told[0] > 20:
                told[0] = time.time()
                print(f"{method} {done:.1%} {words} after {told[0] - start:.0f} s", flush=True)

        card = train(
            METHODS[method], TRAINING, None, target, scaling="none", threads=arguments.threads,
            device=arguments.device, overwrite=True, progress=say,
        )  # fmt: skip
        seconds = time.time() - start
        print(f"{target}: {card['parameter_count']} numbers, {target.stat().st_size / 1e6:.2f} MB, {seconds:.0f} s")


if __name__ == "__main__":
    main()
