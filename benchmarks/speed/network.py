"""Speed and memory of `gan` beside a plain PyTorch version of the same network: ratios, side by side in one run.

Run it with ``python benchmarks/speed/network.py``. It prints Markdown. The plain version is `plain_gan.py`, with the
same weights. Both start at an RGB image in numpy and end at a cube in numpy, or do one update on one batch. They
take turns; a ratio is the median of the ratios of single turns, so that other work on the machine weighs on both alike.
CPU seconds are those of all threads of the process. Where there is a CUDA device, `network_cuda` measures that too.
"""

import argparse
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from plain_gan import PlainDiscriminator, PlainGenerator, PlainTraining
from torch import Tensor

from specrec_gan.adversarial import AdversarialTraining
from specrec_gan.discriminator import Discriminator
from specrec_gan.generator import Generator
from specrec_gan.method import Gan

INFERENCE = [(4, 64), (9, 64), (4, 32), (9, 32)]  # branches, width
Turns = dict[str, list[float]]
TRAINING = [(4, 64, 256, 1), (9, 64, 256, 1), (4, 32, 32, 16)]  # branches, width, crop, batch; the last is `quick`


def turns(plain: Callable[[], object], ours: Callable[[], object], repeats: int) -> dict[str, float]:
    """Run both in turns after one turn to warm up; medians of seconds and of the ratios plain / ours."""
    cpu: list[list[float]] = [[], []]
    clock: list[list[float]] = [[], []]
    for turn in range(repeats + 1):
        for which, work in enumerate((plain, ours)):
            before = time.process_time(), time.perf_counter()
            work()
            if turn:
                cpu[which].append(time.process_time() - before[0])
                clock[which].append(time.perf_counter() - before[1])
    found = {"plain": statistics.median(cpu[0]), "ours": statistics.median(cpu[1])}
    found["plain clock"], found["ours clock"] = statistics.median(clock[0]), statistics.median(clock[1])
    found["cpu"] = statistics.median(a / b for a, b in zip(*cpu, strict=True))
    found["clock"] = statistics.median(a / b for a, b in zip(*clock, strict=True))
    return found


def generators(branches: int, width: int, dropout: float = 0.1) -> tuple[PlainGenerator, Generator]:
    """Both networks, with the same weights."""
    torch.manual_seed(0)
    ours = Generator(branches, width, dropout=dropout)
    plain = PlainGenerator(branches, width, dropout=dropout)
    plain.load_state_dict(ours.state_dict())
    return plain.eval(), ours.to(memory_format=torch.channels_last).eval()


def methods(branches: int, width: int) -> tuple[PlainGenerator, Gan]:
    """Both, ready to reconstruct."""
    plain, ours = generators(branches, width)
    method = Gan(branches=branches, width=width)
    method.generator_ = ours
    return plain, method


def trainings(
    branches: int, width: int, dropout: float = 0.1, device: str = "cpu", precision: str = "float32"
) -> tuple[PlainTraining, AdversarialTraining]:
    """Both, ready to update, with the same weights."""
    plain, ours = (net.to(device) for net in generators(branches, width, dropout))
    discriminator = Discriminator(width // 2)
    judge = PlainDiscriminator(width // 2)
    judge.load_state_dict(discriminator.state_dict())
    judge.to(device)
    discriminator.to(device, memory_format=torch.channels_last).train()
    settings = Gan(branches=branches, width=width, precision=precision).settings
    return PlainTraining(plain, judge), AdversarialTraining(ours.train(), discriminator, settings, 10**6)


def batch(crop: int, count: int, layout: torch.memory_format) -> tuple[Tensor, Tensor]:
    """Random RGB and cube in [-1, 1], the same in every layout."""
    generator = torch.Generator().manual_seed(0)
    both = (torch.rand(count, bands, crop, crop, generator=generator) * 2.0 - 1.0 for bands in (3, 31))
    rgb, cube = (part.contiguous(memory_format=layout) for part in both)
    return rgb, cube


def time_inference(sides: list[int], repeats: int) -> None:
    """Print a row per network and image."""
    print("| branches | width | image | plain, CPU s/MP | ours, CPU s/MP | CPU ratio | wall ratio | difference |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for branches, width in INFERENCE:
        plain, ours = methods(branches, width)
        for side in sides:
            rgb = np.random.default_rng(0).random((side, side, 3), dtype=np.float32)
            apart = float(np.abs(plain.reconstruct(rgb) - ours.reconstruct(rgb)).max())
            count = max(3, min(repeats, repeats * 512**2 // side**2))
            found = turns(lambda: plain.reconstruct(rgb), lambda: ours.reconstruct(rgb), count)  # noqa: B023 - called here
            costs = " | ".join(f"{found[name] * 1e6 / side**2:.2f}" for name in ("plain", "ours"))
            ratios = f"**{found['cpu']:.2f}** | {found['clock']:.2f}"
            print(f"| {branches} | {width} | {side} x {side} | {costs} | {ratios} | {apart:.0e} |", flush=True)


def time_training(repeats: int) -> None:
    """Print three rows per network: a discriminator update, a generator update, and one of each."""
    print("| branches | width | crop | batch | update | plain, CPU s | ours, CPU s | CPU ratio | wall ratio |")
    print("|---:|---:|---:|---:|---|---:|---:|---:|---:|")
    for branches, width, crop, count in TRAINING:
        check_losses(branches, width, crop, count)
        plain, ours = trainings(branches, width)
        first, last = (batch(crop, count, layout) for layout in (torch.contiguous_format, torch.channels_last))
        steps: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "discriminator": (lambda: plain.discriminator_step(*first), lambda: ours.discriminator_step(*last)),  # noqa: B023 - likewise
            "generator": (lambda: plain.generator_step(*first), lambda: ours.generator_step(*last)),  # noqa: B023 - likewise
        }
        both = tuple(lambda w=which: [step[w]() for step in steps.values()] for which in (0, 1))  # noqa: B023 - likewise
        for name, work in {**steps, "one of each": both}.items():
            found = turns(*work, repeats)
            values = f"{found['plain']:.3f} | {found['ours']:.3f} | **{found['cpu']:.2f}** | {found['clock']:.2f}"
            print(f"| {branches} | {width} | {crop} | {count} | {name} | {values} |", flush=True)


def check_losses(branches: int, width: int, crop: int, count: int) -> None:
    """Stop unless two updates of each net, without dropout, give the losses of the plain version."""
    plain, ours = trainings(branches, width, dropout=0.0)
    first, last = (batch(crop, count, layout) for layout in (torch.contiguous_format, torch.channels_last))
    for _ in range(2):
        torch.testing.assert_close(plain.discriminator_step(*first), ours.discriminator_step(*last), rtol=1e-3, atol=0)
        torch.testing.assert_close(plain.generator_step(*first), ours.generator_step(*last), rtol=1e-3, atol=0)


def measure_memory(side: int) -> None:
    """Print peak memory per pixel beyond the loaded network, each in a process of its own."""
    print("| branches | width | image | plain, bytes per pixel | ours, bytes per pixel |")
    print("|---:|---:|---:|---:|---:|")
    for branches, width in INFERENCE:
        command = [sys.executable, __file__, "--peak", str(branches), str(width), str(side)]
        plain, ours = (
            subprocess.run([*command, which], capture_output=True, text=True, check=True).stdout.strip()
            for which in ("plain", "ours")
        )
        print(f"| {branches} | {width} | {side} x {side} | {plain} | {ours} |", flush=True)


def peak(branches: int, width: int, side: int, which: str) -> float:
    """Bytes per pixel by which one reconstruction raises the peak of this process."""
    torch.set_num_threads(1)
    plain, ours = methods(branches, width)
    reconstruct = plain.reconstruct if which == "plain" else ours.reconstruct
    reconstruct(np.zeros((256, 256, 3), np.float32))
    rgb = np.random.default_rng(0).random((side, side, 3), dtype=np.float32)
    before = resident_peak()
    reconstruct(rgb)
    return (resident_peak() - before) / side**2


def resident_peak() -> int:
    """Most bytes of memory that this process has held so far (Linux; getrusage would count the parent's too)."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    return int(line) * 1024


def provenance() -> str:
    """Name machine, versions and commit."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True)
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    processor = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return (
        f"{processor}, {torch.get_num_threads()} thread(s), {torch.backends.cpu.get_cpu_capability()},"
        f" {platform.system()}, Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__},"
        f" commit {commit.stdout.strip()}, seed 0"
    )


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", default="256,512,1280", help="of square images, multiples of 256")
    parser.add_argument("--repeats", type=int, default=9, help="turns; at least 3, fewer for large images")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=("inference", "training", "memory", "cuda"))
    parser.add_argument("--peak", nargs=4, metavar=("BRANCHES", "WIDTH", "SIDE", "WHICH"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.peak:
        branches, width, side = (int(value) for value in chosen.peak[:3])
        print(round(peak(branches, width, side, chosen.peak[3])))
        return
    torch.set_num_threads(chosen.threads)
    sides = [int(side) for side in chosen.sides.split(",")]
    print(f"{provenance()}\n\n    python {' '.join(sys.argv)}")
    parts: dict[str, Callable[[], None]] = {
        "inference": lambda: time_inference(sides, chosen.repeats),
        "training": lambda: time_training(chosen.repeats),
        "memory": lambda: measure_memory(sides[-1]),
    }
    if torch.cuda.is_available():
        from network_cuda import measure

        parts["cuda"] = lambda: measure(chosen.repeats)
    for name, part in parts.items():
        if chosen.only in (None, name):
            print(f"\n## {name.capitalize()}\n")
            part()


if __name__ == "__main__":
    main()
