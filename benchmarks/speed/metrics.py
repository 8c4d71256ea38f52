"""Speed of the metrics: in one pass, against numpy with temporaries, colour-science, and only reading both cubes.

Run it with ``OMP_NUM_THREADS=1 python benchmarks/speed/metrics.py``. CPU and wall seconds per megapixel of one thread,
the best of several turns, and how many times as long as ours each takes. The cubes are float32, random, seed 0.
"""

import argparse
import subprocess
import sys
import warnings

import numpy as np
from race import print_table, race

from specrec.metrics import specrec_metrics
from specrec.metrics.together import score_all
from specrec.rendering import white_point, xyz, xyz_weights
from specrec.spectra import WAVELENGTHS

THREE = ("rmse", "rrmse", "gfc")
METRICS = {metric.name: metric for metric in specrec_metrics()}
START = """
import time; start = time.perf_counter()
import numpy as np
from specrec.metrics import specrec_metrics
from specrec.metrics.together import score_all
cube = np.full((64, 64, 31), 0.5, np.float32)
metrics = {metric.name: metric for metric in specrec_metrics()}
score_all(metrics, cube, cube, np.ones((64, 64), bool), np.arange(400.0, 701.0, 10.0))
print(f"{time.perf_counter() - start:.1f} s by the clock, {time.process_time():.1f} s of processor")
"""


def with_temporaries(estimate: np.ndarray, reference: np.ndarray) -> tuple[float, float, float]:
    """Compute rmse, rrmse and gfc as one writes them down, in float32."""
    error = estimate - reference
    rmse = 255.0 * np.sqrt((error**2).mean(axis=-1)).mean()
    bright = reference >= 1.0 / 255.0
    ratio = np.divide(error, reference, out=np.zeros_like(error), where=bright)
    bands = bright.sum(axis=-1)
    rrmse = np.sqrt((ratio**2).sum(axis=-1) / np.maximum(bands, 1)).sum() / np.count_nonzero(bands)
    lengths = np.sqrt((estimate**2).sum(axis=-1) * (reference**2).sum(axis=-1))
    products = np.abs((estimate * reference).sum(axis=-1))
    gfc = (products[lengths > 0] / lengths[lengths > 0]).mean()
    return float(rmse), float(rrmse), float(gfc)


def by_colour_science(estimate: np.ndarray, reference: np.ndarray) -> float:
    """Compute the mean CIEDE2000 with its own integration, Lab and difference; nothing is interpolated."""
    import colour

    shape = colour.SpectralShape(400, 700, 10)
    observer = colour.MSDS_CMFS["CIE 1964 10 Degree Standard Observer"].copy().align(shape)
    light = colour.SDS_ILLUMINANTS["E"].copy().align(shape)
    white = colour.XYZ_to_xy(white_point())
    labs = []
    for cube in (estimate, reference):
        tristimulus = colour.msds_to_XYZ(cube, observer, light, method="Integration", shape=shape)
        labs.append(colour.XYZ_to_Lab(tristimulus / 100.0, white))
    return float(np.mean(colour.difference.delta_E_CIE2000(*labs)))


def by_product_and_colour_science(estimate: np.ndarray, reference: np.ndarray) -> float:
    """Compute the same with a matrix product in place of its integration."""
    import colour

    white = colour.XYZ_to_xy(white_point())
    labs = [colour.XYZ_to_Lab(cube @ (xyz_weights() / 100.0), white) for cube in (estimate, reference)]
    return float(np.mean(colour.difference.delta_E_CIE2000(*labs)))


def main() -> None:
    """Print what each way takes at every size, and how far its numbers are from ours."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["512x512", "1392x1300"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="also time a first score ever; it empties numba's cache")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")  # colour-science warns on import of optional packages that are not needed here
    for size in chosen.sizes:
        height, width = map(int, size.split("x"))
        rng = np.random.default_rng(0)
        reference = rng.random((height, width, 31), dtype=np.float32)
        reference[rng.random((height, width)) < 0.02] = 0.0
        estimate = reference + np.float32(0.05) * rng.standard_normal(reference.shape, dtype=np.float32)
        mask = np.ones((height, width), dtype=bool)

        def ours(*names: str, cubes: tuple[np.ndarray, ...] = (estimate, reference, mask)) -> list[float]:
            scores = score_all({name: METRICS[name] for name in names}, *cubes, WAVELENGTHS)
            return [score.value for score in scores.values()]

        print(f"{size}, best of {chosen.repeats}: CPU and wall s/MP, each as a multiple of the first line")
        best = race(
            {
                "rmse, rrmse, gfc: one pass": lambda ours=ours: ours(*THREE),
                "numpy with temporaries": lambda e=estimate, r=reference: with_temporaries(e, r),
                "only reading both (numpy's maximum)": lambda e=estimate, r=reference: (e.max(), r.max()),
                "only summing both in float64": lambda e=estimate, r=reference: (e.sum(dtype="f8"), r.sum(dtype="f8")),
                "all nine but de2000": lambda ours=ours: ours(*(name for name in METRICS if name != "de2000")),
            },
            chosen.repeats,
        )
        print_table(best, mask.size / 1e6, "rmse, rrmse, gfc: one pass")
        apart = np.abs(np.subtract(ours(*THREE), with_temporaries(estimate, reference)))
        print(f"  differences: {', '.join(f'{name} {far:.1e}' for name, far in zip(THREE, apart, strict=True))}")
        best = race(
            {
                "de2000": lambda ours=ours: ours("de2000"),
                "colour-science": lambda e=estimate, r=reference: by_colour_science(e, r),
                "product, colour-science": lambda e=estimate, r=reference: by_product_and_colour_science(e, r),
                "the two XYZ alone": lambda e=estimate, r=reference: (xyz(e), xyz(r)),
            },
            min(chosen.repeats, 3),
        )
        print_table(best, mask.size / 1e6, "de2000")
        print(f"  difference: {abs(ours('de2000')[0] - by_colour_science(estimate, reference)):.1e}")
    for start in ("first ever", "compiled before") if chosen.cold else ():
        if start == "first ever":
            forget()
        taken = subprocess.run([sys.executable, "-c", START], check=True, capture_output=True, text=True).stdout
        print(f"all ten metrics of a small image, {start}: {taken.strip()}")


def forget() -> None:
    """Remove what numba keeps of the modules used here."""
    from pathlib import Path

    import specrec

    for stem in ("tristimulus", "one_pass", "ciede2000"):
        for kept in Path(specrec.__file__).parent.rglob(f"__pycache__/{stem}.*.nb[ic]"):
            kept.unlink()


if __name__ == "__main__":
    main()
