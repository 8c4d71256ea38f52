"""What the re-rendering difference costs beside the reconstruction: python benchmarks/speed/trust.py [METHOD...].

CPU seconds of one thread for a photo of blobs with noise as JPEG, whose cube is written as .h5: all of it, and what the
examination of every tile (reading the photo once more, rendering, CIEDE2000, counting colours) takes of it.
"""

import argparse
import tempfile
import time
from pathlib import Path

from many_photos import write_photos

from specrec.reconstruction import Choices, reconstruct_file
from specrec.reconstruction.trust import Examination


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", default=["linear", "gan"])
    parser.add_argument("--megapixels", type=float, default=10)
    parser.add_argument("--folder", type=Path, help="for the photo and the cube [default: the temporary folder]")
    chosen = parser.parse_args()
    spent, real = [0.0], Examination.add

    def add(self: Examination, *tile: object) -> object:
        start = time.process_time()
        try:
            return real(self, *tile)  # type: ignore[arg-type]  # passed on as they come
        finally:
            spent[0] += time.process_time() - start

    choices = Choices(threads=1, overwrite=True)
    Examination.add = add  # type: ignore[assignment, method-assign]  # timed here alone
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        (small,) = write_photos(Path(name), 1, 0.1)
        for method in chosen.methods:
            reconstruct_file(method, small, Path(name) / "cube.h5", choices=choices)  # compiles and loads
        (photo,) = write_photos(Path(name), 1, chosen.megapixels)
        for method in chosen.methods:
            spent[0], start = 0.0, time.process_time()
            found = reconstruct_file(method, photo, Path(name) / "cube.h5", choices=choices)
            seconds = time.process_time() - start
            share = spent[0] / (seconds - spent[0])
            print(f"{method}: {seconds:.1f} s, of which {spent[0]:.1f} s look at it, {share:.0%} more; {found.trust}")


if __name__ == "__main__":
    main()
