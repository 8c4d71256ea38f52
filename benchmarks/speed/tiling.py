"""Peak memory and time of reconstructing large photos, each in a process of its own beside a small one (Linux).

Run it with ``OMP_NUM_THREADS=1 python benchmarks/speed/tiling.py``. Photos are random blobs of colour as PNG, or with
``--flat`` of one colour, which is quick also for 500 megapixels. Each cube is written as .h5 and deleted; with
``--discard`` nothing is written. "beside" is the peak without the 4 bytes per pixel that the decoded photo takes: it is
what must not grow.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

CASES = ("linear:1", "linear:25", "linear:100", "gan:1", "gan:10", "gan:40")
NET = {"branches": 4, "width": 8}
_ONE = """
import json, re, resource, sys, time
from pathlib import Path
import specrec
from specrec.images import Photo
from specrec.cubes import cube_writer
from specrec.tiling import stream
weights, image, target, limit = sys.argv[1:]
if limit != "0":
    resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
def peak():  # getrusage counts what the parent had at the fork, too
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) << 10
method = specrec.load(Path(weights).stem, weights, "cpu")
start = peak()
wall, cpu = time.perf_counter(), time.process_time()
photo = Photo(image)
decoded = time.perf_counter() - wall
tiles = stream(method, photo.read, photo.shape)
largest = (0, 0)
if target:
    with cube_writer(target, (*photo.shape, 31), specrec.WAVELENGTHS, {"quantity": "radiance"}) as put:
        for window, cube in tiles:
            put(window, cube)
            largest = max(largest, window[2:])
else:
    for window, cube in tiles:
        largest = max(largest, window[2:])
print(json.dumps({"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "decoded": decoded,
    "start": start, "peak": peak(), "tile": largest}))
"""


def main() -> None:
    """Print one line per case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "cases", nargs="*", default=CASES, help="METHOD:MEGAPIXELS; linear or gan (4 branches, width 8)"
    )
    parser.add_argument("--discard", action="store_true")
    parser.add_argument("--flat", action="store_true")
    parser.add_argument("--limit", type=float, default=0, help="GiB of address space; 0: none")
    parser.add_argument("--folder", type=Path, help="for photos and cubes [default: the system's temporary folder]")
    chosen = parser.parse_args()
    heads = {"tile": 13, "decoding s": 12, "all s": 9, "CPU s": 9, "start MB": 10, "peak MB": 9, "beside MB": 11}
    print(f"{'case':12}" + "".join(head.rjust(width) for head, width in heads.items()))
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        weights = {"linear": folder / "linear.safetensors", "gan": folder / "gan.safetensors"}
        save_weights(weights)
        for case in chosen.cases:
            method, megapixels = case.split(":")
            image = write_photo(folder / "photo.png", float(megapixels), flat=chosen.flat)
            target = "" if chosen.discard else str(folder / "cube.h5")
            words = [str(weights[method]), str(image), target, str(int(chosen.limit * 2**30))]
            run = subprocess.run([sys.executable, "-c", _ONE, *words], check=True, capture_output=True, text=True)
            found = json.loads(run.stdout)
            beside = found["peak"] - 4e6 * float(megapixels)
            print(
                f"{case:12}{found['tile'][0]:>6} x {found['tile'][1]:<4}{found['decoded']:12.1f}{found['seconds']:9.1f}"
                f"{found['cpu']:9.1f}{found['start'] / 1e6:10.0f}{found['peak'] / 1e6:9.0f}{beside / 1e6:11.0f}"
                + (f"  {run.stderr.strip().splitlines()[-1]}" if run.stderr else ""),
                flush=True,
            )
            (folder / "cube.h5").unlink(missing_ok=True)


def save_weights(paths: dict[str, Path]) -> None:
    import torch

    from specrec.weights import make_card, save
    from specrec_classical.linear import Linear
    from specrec_gan.generator import Generator
    from specrec_gan.method import Gan

    torch.manual_seed(0)
    arrays = {key: value.numpy() for key, value in Generator(NET["branches"], NET["width"]).state_dict().items()}
    methods = {
        "linear": Linear.from_state({}, {"coefficients": np.random.default_rng(0).random((3, 31)) / 3}, {}),
        "gan": Gan.from_state(NET, arrays, {"bands": 31, "seed": 0}),
    }
    for name, method in methods.items():
        save(method, paths[name], make_card(method, wavelengths=range(400, 701, 10), scenes=["none"], seed=0))


def write_photo(path: Path, megapixels: float, *, flat: bool) -> Path:
    """Write a PNG of about that size, of one colour or enlarged from noise, so that neighbours are alike."""
    from PIL import Image

    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    size = (width, round(megapixels * 1e6 / width))
    if flat:
        Image.new("RGB", size, (90, 120, 60)).save(path, compress_level=1)
    else:
        noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(path, compress_level=1)
    return path


if __name__ == "__main__":
    main()
