"""Seconds to make one synthetic scene of 256 x 256 x 31 on one core, the aim being 0.2 or below."""

import time

from specrec.datasets.synthetic.recipe import Recipe
from specrec.datasets.synthetic.scene import make_counts

SCENES = 20


def seconds_per_scene(spectra: str) -> tuple[float, float]:
    """Return processor and wall seconds; the first scene, which loads the spectra, is not counted."""
    make_counts(Recipe(world=0, index=SCENES, spectra=spectra))
    processor, wall = time.process_time(), time.perf_counter()
    for index in range(SCENES):
        make_counts(Recipe(world=0, index=index, spectra=spectra))
    return (time.process_time() - processor) / SCENES, (time.perf_counter() - wall) / SCENES


if __name__ == "__main__":
    for spectra in ("world", "broad"):
        processor, wall = seconds_per_scene(spectra)
        print(f"{spectra:6} {processor:.3f} s of processor, {wall:.3f} s by the clock, per scene")
