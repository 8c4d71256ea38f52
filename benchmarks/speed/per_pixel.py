"""Every method that sees single pixels, at 1392 x 1300: seconds, memory, what coding each colour once saves.

Run it with ``OMP_NUM_THREADS=1 python benchmarks/speed/per_pixel.py [METHODS]``. The image is a mosaic of nine
synthetic scenes of different worlds with a noise of one 8-bit level: about four pixels of each colour, as in a
photograph. Each method runs in a process of its own, fitted on four small scenes, and takes the four ways in turns; the
first run, which compiles, is not counted. "Peak" is the memory of a process that loads the method and reconstructs the
image once (Linux).
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import specrec
from specrec import per_pixel
from specrec.datasets.synthetic.source import SyntheticSource
from specrec.distinct import distinct_colours
from specrec.interfaces import FitContext
from specrec.registry import registry
from specrec.scenes import TrainingScene
from specrec.weights import make_card, save

HEIGHT, WIDTH = 1300, 1392
QUICK = {"pixel": "pixel[steps=50]"}  # how long a network learns does not change how long it runs
WAYS = {"once, 1": (1.5, 1), "every, 1": (np.inf, 1), "once, 2": (1.5, 2), "every, 2": (np.inf, 2)}


def main() -> None:
    """Print a row for each method, or measure one where the process was started for that."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="?", help="such as linear,arad [default: all]")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        name, weights, image = chosen.measure
        print(json.dumps(measure(name, weights, np.load(image), chosen.repeats)))
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(chosen.methods.split(",") if chosen.methods else per_pixel_methods(), Path(folder), chosen.repeats)


def per_pixel_methods() -> list[str]:
    """Name all methods that see one pixel."""
    offers = registry().reconstructors
    return [name for name, offer in offers.items() if issubclass(offer.value, per_pixel.PerPixelReconstructor)]


def photograph() -> np.ndarray:
    """Make the mosaic, (HEIGHT, WIDTH, 3) float32."""
    source = SyntheticSource(scenes=9, worlds=9, size=464)
    tiles = [TrainingScene(source.open(name)).rgb() for name in source.names()]
    mosaic = np.vstack([np.hstack(tiles[start : start + 3]) for start in (0, 3, 6)])[:HEIGHT, :WIDTH]
    noise = np.random.default_rng(0).normal(0.0, 1.0, mosaic.shape)
    return np.clip(np.rint(255.0 * mosaic + noise), 0, 255).astype(np.float32) / np.float32(255)


def compare(methods: list[str], folder: Path, repeats: int) -> None:
    image = photograph()
    np.save(folder / "image.npy", image)
    colours = len(distinct_colours(image.reshape(-1, 3))[0])
    print(f"{HEIGHT} x {WIDTH} pixels, {image[..., 0].size / colours:.1f} of each colour, best of {repeats}")
    print("wall and CPU seconds; colours coded once or every pixel coded, on so many threads\n")
    print(f"| method | peak, MB | {' | '.join(WAYS)} | CPU, every / once |")
    print("|---|---|" + "---|" * (len(WAYS) + 1))
    for name in methods:
        method = registry().build(QUICK.get(name, name))
        source = SyntheticSource(scenes=4, size=96)
        scenes = [TrainingScene(source.open(scene), input=method.input) for scene in source.names()]
        method.fit(scenes, FitContext())
        weights = folder / f"{name}.safetensors"
        save(method, weights, make_card(method, wavelengths=scenes[0].wavelengths.tolist(), scenes=["s"], seed=0))
        command = [sys.executable, __file__, "--measure", name, str(weights), str(folder / "image.npy"), "--repeats"]
        once, found = (
            json.loads(subprocess.run([*command, str(count)], check=True, capture_output=True, text=True).stdout)
            for count in (0, repeats)
        )
        cells = [f"{wall:.2f} ({cpu:.2f})" for wall, cpu in found["seconds"].values()]
        ratio = found["seconds"]["every, 1"][1] / found["seconds"]["once, 1"][1]
        print(f"| `{name}` | {once['peak']:.0f} | {' | '.join(cells)} | {ratio:.1f} |", flush=True)


def measure(name: str, weights: str, image: np.ndarray, repeats: int) -> dict[str, object]:
    """Return the best wall and CPU seconds of each way, and the peak memory in MB."""
    method = specrec.load(name, weights, "cpu")
    method.reconstruct(image)
    status = Path("/proc/self/status").read_text("ascii")  # getrusage counts what the parent had at the fork, too
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
    seconds = dict.fromkeys(WAYS, (np.inf, np.inf))
    for _ in range(repeats):
        for way, (least, threads) in WAYS.items():
            per_pixel._PIXELS_PER_COLOUR = least
            method.threads = threads
            wall, cpu = time.perf_counter(), time.process_time()
            method.reconstruct(image)
            taken = time.perf_counter() - wall, time.process_time() - cpu
            seconds[way] = tuple(min(pair) for pair in zip(seconds[way], taken, strict=True))
    return {"peak": peak, "seconds": seconds}


if __name__ == "__main__":
    main()
