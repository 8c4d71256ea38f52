"""Speed of rendering a cube to 8-bit sRGB: in one pass, against colour-science, numpy, and only reading the cube.

Run it with ``OMP_NUM_THREADS=1 python benchmarks/speed/rendering.py``. CPU and wall seconds per megapixel of one
thread, the best of several turns, and how many times as long as ours each takes. The cube is float32, random, seed 0.
"""

import argparse
import warnings

import numpy as np
from race import print_table, race

from specrec.rendering import XYZ_TO_RGB, encode_srgb, linear_srgb, quantise, render, xyz, xyz_weights


def by_colour_science(cube: np.ndarray) -> np.ndarray:
    """Render with its own integration, matrix and encoding; nothing is interpolated or adapted."""
    import colour

    shape = colour.SpectralShape(400, 700, 10)
    observer = colour.MSDS_CMFS["CIE 1964 10 Degree Standard Observer"].copy().align(shape)
    light = colour.SDS_ILLUMINANTS["E"].copy().align(shape)
    tristimulus = colour.msds_to_XYZ(cube, observer, light, method="Integration", shape=shape) / 100.0
    space = colour.RGB_COLOURSPACES["sRGB"]
    encoded = colour.XYZ_to_sRGB(tristimulus, space.whitepoint, None)
    return np.rint(255.0 * np.clip(encoded, 0.0, 1.0)).astype(np.uint8)


def by_numpy(cube: np.ndarray) -> np.ndarray:
    """Render with a matrix product and a power for every value."""
    return quantise(encode_srgb(cube @ (xyz_weights() / 100.0) @ XYZ_TO_RGB.T))


def main() -> None:
    """Print what each way takes at every size, and how many values differ from ours."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["512x512", "1392x1300"])
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")  # colour-science warns on import of optional packages that are not needed here
    for size in chosen.sizes:
        height, width = map(int, size.split("x"))
        cube = np.random.default_rng(0).random((height, width, 31), dtype=np.float32)
        ways = {
            "one pass": lambda cube=cube: render(cube),
            "colour-science": lambda cube=cube: by_colour_science(cube),
            "numpy, product and power": lambda cube=cube: by_numpy(cube),
            "only reading (numpy's maximum)": lambda cube=cube: cube.max(),
        }
        print(f"{size}, best of {chosen.repeats}: CPU and wall s/MP, each as a multiple of the first line")
        print_table(race(ways, chosen.repeats), height * width / 1e6, "one pass")
        ours, exact = render(cube), quantise(encode_srgb(linear_srgb(xyz(cube) / 100.0)))
        others = {"the same sums with a power": exact, **{name: ways[name]() for name in list(ways)[1:3]}}
        for name, other in others.items():
            apart = np.abs(ours.astype(int) - other)
            print(
                f"  against {name}: {np.count_nonzero(apart)} of {apart.size} values differ, by {apart.max()} at most"
            )


if __name__ == "__main__":
    main()
