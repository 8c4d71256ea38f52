"""Photos one after the other, overlapped, and several at a time: python benchmarks/speed/many_photos.py.

Random blobs of colour as JPEG; every way writes the same cubes, which is checked bit by bit, in tiles of one size. Each
is timed in turns; the folder should lie on the disk that cubes would go to. Wall seconds count.
"""

import argparse
import hashlib
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from race import race

from specrec.reconstruction import Choices, Work, reconstruct_files

WAYS = {
    "one after the other": (1, False),
    "one at a time, overlapped": (1, True),
    "two at a time": (2, False),
}


def write_photos(folder: Path, count: int, megapixels: float) -> list[Path]:
    """Write JPEGs of smooth blobs, with noise, so that decoding is as slow as that of a photograph."""
    side = round((megapixels * 1e6) ** 0.5)
    paths = []
    for index in range(count):
        rng = np.random.default_rng(index)
        coarse = Image.fromarray(rng.integers(0, 256, (side // 40 + 2, side // 40 + 2, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC)).astype(np.int16)
        noisy = np.clip(smooth + rng.integers(-3, 4, smooth.shape, dtype=np.int16), 0, 255).astype(np.uint8)
        paths.append(folder / f"photo{index}.jpg")
        Image.fromarray(noisy).save(paths[-1], quality=92)
    return paths


def main() -> None:
    """Print one line per way and method, and stop where cubes differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", default=["linear", "gan"])
    parser.add_argument("--photos", type=int, default=8)
    parser.add_argument("--megapixels", type=float, default=3)
    parser.add_argument("--threads", type=int, help="of all jobs together [default: all cores]")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="for photos and cubes [default: the system's temporary folder]")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        folder = Path(name)
        photos = write_photos(folder, chosen.photos, chosen.megapixels)
        works = [Work(photo, folder / f"{photo.stem}.h5") for photo in photos]
        for method in chosen.methods:
            digests: dict[str, list[str]] = {}

            def way(label: str, method: str = method, digests: dict[str, list[str]] = digests) -> None:
                jobs, overlap = WAYS[label]
                choices = Choices(threads=chosen.threads, tiles="1024", overwrite=True)
                outcome = reconstruct_files(method, works, choices, jobs=jobs, overlap=overlap)
                assert not outcome.failed, outcome.failed
                if label not in digests:
                    digests[label] = [hashlib.sha256(work.target.read_bytes()).hexdigest() for work in works]

            best = race({label: (lambda label=label: way(label)) for label in WAYS}, chosen.repeats)
            megapixels = chosen.photos * chosen.megapixels
            print(f"{method}: {chosen.photos} photos of {chosen.megapixels:g} megapixels")
            print(f"  {'':30} {'wall s':>8} {'CPU s':>8} {'per MP':>8}  ratio  bits")
            plain = best["one after the other"][1]
            for label, (cpu, wall) in best.items():
                bits = "same" if digests[label] == digests["one after the other"] else "DIFFERENT"
                print(f"  {label:30} {wall:8.2f} {cpu:8.2f} {wall / megapixels:8.3f}  {wall / plain:5.2f}  {bits}")


if __name__ == "__main__":
    main()
