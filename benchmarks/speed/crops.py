"""What a random 256 x 256 crop of an ICVL scene costs, and whether reading slows a training step down.

Run it with ``OMP_NUM_THREADS=1 python benchmarks/speed/crops.py``. A file like those of ICVL (1392 x 1300 x 31, MATLAB
v7.3, deflated) is made first. Times are medians of interleaved runs, CPU seconds of one thread: what counts are ratios.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import torch
from network import provenance

from specrec.datasets.icvl import IcvlSource
from specrec.datasets.synthetic.source import SyntheticSource
from specrec.interfaces import silent
from specrec.scenes import TrainingScene, Window
from specrec.spectra import WAVELENGTHS
from specrec.training.crops import Batch, Crops
from specrec.training.prepared import Crop, fill, prepare
from specrec_gan.adversarial import AdversarialTraining
from specrec_gan.discriminator import Discriminator
from specrec_gan.method import Gan

HEIGHT, WIDTH, BANDS, SIZE = 1392, 1300, 31, 256


def make_scene(folder: Path) -> TrainingScene:
    """Write smooth spectra with the noise of a 12-bit camera, as ICVL stores them: (bands, height, width)."""
    rng = np.random.default_rng(0)
    light = rng.uniform(0.2, 0.8, (1, HEIGHT // 4, WIDTH // 4)).repeat(4, 1).repeat(4, 2)
    counts = light * rng.uniform(500, 3500, (BANDS, 1, 1)) + rng.normal(0, 8, (BANDS, HEIGHT, WIDTH))
    with h5py.File(folder / "scene.mat", "w") as file:
        chunks = (1, HEIGHT // 8, WIDTH)
        file.create_dataset("rad", data=np.rint(counts).clip(1, 4095), chunks=chunks, compression=3)
        file.create_dataset("bands", data=WAVELENGTHS[:, np.newaxis])
    return TrainingScene(IcvlSource(folder).open("scene"))


def seconds(work: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Run pieces of work in turns and return the median of each."""
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repeats):
        for name, piece in work.items():
            start = time.process_time()
            piece()
            found[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in found.items()}


def time_crop(repeats: int) -> None:
    """Compare a crop of a prepared scene with reading the file whole, reading its window, and copying 8 MB."""
    with tempfile.TemporaryDirectory() as name:
        scene = make_scene(Path(name))
        low, high = scene.scene.extent
        (prepared,) = prepare([scene], silent)
        rng = np.random.default_rng(1)
        rgb, cube = torch.empty(1, SIZE, SIZE, 3), torch.empty(1, SIZE, SIZE, BANDS)
        elsewhere = torch.rand(8, SIZE, SIZE, BANDS)  # 64 MB: what is copied does not lie in the processor's cache
        turn = itertools.cycle(range(8))

        def window() -> Window:
            return Window(int(rng.integers(HEIGHT - SIZE)), int(rng.integers(WIDTH - SIZE)), SIZE, SIZE)

        def from_window() -> None:
            part = (scene.scene.cube(window()) - low) / (high - low)
            scene.rgb_of(part.astype(np.float32))

        fast = seconds(
            {
                "prepared": lambda: fill([Crop(prepared, window())], rgb, cube),
                "copy of 8 MB": lambda: cube[0].copy_(elsewhere[next(turn)]),
            },
            50 * repeats,
        )
        slow = seconds({"file read whole": scene.scene.cube, "window of the file": from_window}, repeats)
    ours = fast["prepared"]
    print(f"\n| a crop of {SIZE} x {SIZE} x {BANDS} | ms | against a prepared one |\n|---|---:|---:|")
    for work, value in {**fast, **slow}.items():
        print(f"| {work} | {1e3 * value:.2f} | {value / ours:.2f} |")


def time_steps(repeats: int, **settings: int) -> None:
    """Time updates with a new batch each and with one batch in memory, in turns, for both kinds of update."""
    source = SyntheticSource(scenes=8)
    scenes = [TrainingScene(source.open(name)) for name in source.names()]
    gan = Gan(preset="quick", **settings)
    crops = Crops(scenes, int(gan.settings["crop"]), int(gan.settings["batch"]), flips=True)
    networks = gan._network(BANDS), Discriminator(int(gan.settings["discriminator_width"]))
    for network in networks:
        network.to(memory_format=torch.channels_last).train()
    training = AdversarialTraining(*networks, gan.settings, repeats)
    kept = crops.next()
    for kind, index in (("discriminator", 0), ("generator", training.first)):

        def step(batch: Batch, index: int = index) -> None:
            training.update(index, batch)

        found = seconds({"read": lambda step=step: step(crops.next()), "kept": lambda step=step: step(kept)}, repeats)
        share = found["read"] / found["kept"] - 1.0
        shape = f"{gan.settings['batch']} x {gan.settings['crop']} x {gan.settings['crop']}"
        print(
            f"| {kind}, {gan.branches} branches, {gan.settings['width']} filters, {shape} | {repeats}"
            f" | {1e3 * found['kept']:.1f} | {1e3 * found['read']:.1f} | {share:+.1%} |"
        )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="readings of the whole file")
    parser.add_argument("--steps", type=int, default=200, help="training steps of each kind")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(provenance())
    time_crop(chosen.repeats)
    print("\n| update | median of | batch kept, ms | batch read, ms | reading adds |\n|---|---:|---:|---:|---:|")
    time_steps(chosen.steps)
    time_steps(max(1, chosen.steps // 5), width=64, discriminator_width=32, batch=1, crop=256)


if __name__ == "__main__":
    main()
