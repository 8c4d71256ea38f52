"""The part of `network.py` that needs a CUDA device: a round of training, and an image from and to pinned memory."""

import statistics
from collections.abc import Callable

import torch
from network import Turns, batch, generators, trainings
from torch import Tensor, nn

from specrec.training.session import exact

HEIGHT, WIDTH = 1392, 1304  # an ICVL image, padded to the grid of 4 branches
UPDATES = 25  # of each net, a round at batch 1


def measure(repeats: int) -> None:
    """Print both tables; the device is the current one."""
    print(f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, driver settings as found\n")
    with exact():  # as `gan` trains and reconstructs unless told otherwise
        time_round(repeats)
        print()
        time_image(repeats)


def milliseconds(work: dict[str, Callable[[], object]], repeats: int) -> Turns:
    """Run pieces of work in turns after one turn to warm up; what each took by the device's clock, turn by turn."""
    found: Turns = {name: [] for name in work}
    for turn in range(repeats + 1):
        for name, piece in work.items():
            first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda.synchronize()
            first.record()
            piece()
            last.record()
            torch.cuda.synchronize()
            if turn:
                found[name].append(first.elapsed_time(last))
    return found


def time_round(repeats: int) -> None:
    """25 discriminator and 25 generator updates at batch 1, 256 x 256, crops on the device."""
    print("| branches | plain, ms | ours, ms | ratio |\n|---:|---:|---:|---:|")
    for branches in (4, 9):
        work = {}
        sides = zip(("plain", "ours"), trainings(branches, 64, device="cuda"), strict=True)
        for (name, training), layout in zip(sides, (torch.contiguous_format, torch.channels_last), strict=True):
            pair = [part.cuda() for part in batch(256, 1, layout)]

            def one_round(training: object = training, pair: list[Tensor] = pair) -> None:
                for step in (training.discriminator_step, training.generator_step):
                    for _ in range(UPDATES):
                        step(*pair)

            work[name] = one_round
        found = milliseconds(work, repeats)
        ratio = statistics.median(a / b for a, b in zip(found["plain"], found["ours"], strict=True))
        plain, ours = (statistics.median(found[name]) for name in work)
        print(f"| {branches} | {plain:.1f} | {ours:.1f} | **{ratio:.2f}** |", flush=True)


@torch.inference_mode()
def time_image(repeats: int) -> None:
    """One image through 4 branches, pinned memory to pinned memory, by precision.

    The bound is the time to move the image and the cube over the bus, and every tensor between the layers out to the
    device's memory and back once, each at the rate that a plain copy reaches here.
    """
    print("| network | precision | ms | share of the bound | largest error against float32 |\n|---|---|---:|---:|---:|")
    plain, ours = (net.cuda() for net in generators(4, 64))
    image = (torch.rand(1, 3, HEIGHT, WIDTH) * 2.0 - 1.0).pin_memory()
    cube = torch.empty(1, HEIGHT, WIDTH, 31, pin_memory=True)

    def through(net: nn.Module, layout: torch.memory_format, kind: torch.dtype) -> Callable[[], None]:
        def work() -> None:
            rgb = image.to("cuda", non_blocking=True).contiguous(memory_format=layout)
            with torch.autocast("cuda", kind, enabled=kind != torch.float32):
                estimate = net(rgb)
            cube.copy_((estimate.permute(0, 2, 3, 1).float() + 1.0) / 2.0, non_blocking=True)

        return work

    last = torch.channels_last
    work = {
        "plain, channels first | float32": through(plain, torch.contiguous_format, torch.float32),
        "ours, channels_last | float32": through(ours, last, torch.float32),
        "ours, channels_last | bfloat16": through(ours, last, torch.bfloat16),
        "ours, channels_last | float16": through(ours, last, torch.float16),
    }
    found = milliseconds(work, repeats)
    allowed, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, False
    work["plain, channels first | float32"]()
    torch.cuda.synchronize()
    reference = cube.clone()
    torch.backends.cudnn.allow_tf32 = allowed
    for name, piece in work.items():
        piece()
        torch.cuda.synchronize()
        spent = statistics.median(found[name])
        share = bound(4 if name.endswith("float32") else 2, image, cube) / spent
        print(f"| {name} | {spent:.2f} | {share:.0%} | {(cube - reference).abs().max():.1e} |", flush=True)
    print(f"\nThe reference computes without TF32; the rows {'with' if allowed else 'without'} it, as torch is set.")


def bound(size: int, image: Tensor, cube: Tensor) -> float:
    """Milliseconds that moving the data alone takes, at rates measured here; `size`: bytes of a number."""
    there = torch.empty(1 << 28, dtype=torch.uint8, device="cuda")
    here = torch.empty(1 << 28, dtype=torch.uint8, pin_memory=True)
    copies = {
        "in": lambda: there.copy_(here, non_blocking=True),
        "out": lambda: here.copy_(there, non_blocking=True),
        "device": lambda: there[: 1 << 27].copy_(there[1 << 27 :]),
    }
    spent = {name: min(values) for name, values in milliseconds(copies, 5).items()}
    rates = {
        name: (1 << 28) / value for name, value in spent.items()
    }  # bytes per ms; a copy on the device reads and writes
    pixels = HEIGHT * WIDTH
    # per pixel, numbers between the layers: encoder, decoder, and the hidden and the last layer
    between = 64 / 4 + 128 / 16 + 256 / 64 + 256 / 16 + 128 / 4 + 64 + 64 + 31
    moved = 2 * between * pixels * size / rates["device"]
    return moved + image.nbytes / rates["in"] + cube.nbytes / rates["out"]
