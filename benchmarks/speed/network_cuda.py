"""The part of `network.py` that needs a CUDA device: a round of training, and an image from and to pinned memory."""

import statistics
from collections.abc import Callable

import torch
from network import Turns, batch, generators, trainings
from torch import Tensor, nn

from specrec.training.crops import Batch
from specrec.training.recorded import Plain, Recorded
from specrec.training.session import exact
from specrec_gan.method import Gan

HEIGHT, WIDTH = 1392, 1304  # an ICVL image, padded to the grid of 4 branches
UPDATES = 25  # of each net, a round at batch 1


def measure(repeats: int) -> None:
    """Print the tables; the device is the current one."""
    print(f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, driver settings as found\n")
    for branches in (4, 9):
        time_round(branches, repeats)
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


Round = Callable[[], None]


def time_round(branches: int, repeats: int) -> None:
    """25 discriminator and 25 generator updates at batch 1, 256 x 256, on one crop that lies on the device."""
    first, last = torch.contiguous_format, torch.channels_last
    work = {
        "plain, TF32 as torch is set": plain_round(branches, short=True),
        "plain, float32": plain_round(branches, short=False),
        "ours, launched, float32": our_round(branches, Plain, last),
        "ours, recorded, float32": our_round(branches, Recorded, last),
        "ours, recorded, float32, channels first": our_round(branches, Recorded, first),
        "ours, recorded, TF32": our_round(branches, Recorded, last, short=True),
        "ours, recorded, bf16": our_round(branches, Recorded, last, precision="bf16"),
    }
    found = milliseconds(work, repeats)
    print(
        f"| {branches} branches | ms a round | ratio to plain, TF32 | ratio to plain, float32 |\n|---|---:|---:|---:|"
    )
    for name, spent in found.items():
        ratios = (
            statistics.median(a / b for a, b in zip(found[other], spent, strict=True)) for other in list(work)[:2]
        )
        print(f"| {name} | {statistics.median(spent):.1f} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")
    print(flush=True)


def plain_round(branches: int, *, short: bool) -> Round:
    training, _ = trainings(branches, 64, device="cuda")
    pair = [part.cuda() for part in batch(256, 1, torch.contiguous_format)]

    def work() -> None:
        with exact():
            torch.backends.cudnn.allow_tf32 = short
            torch.backends.cudnn.deterministic = False
            for step in (training.discriminator_step, training.generator_step):
                for _ in range(UPDATES):
                    step(*pair)

    return work


def our_round(
    branches: int, how: type[Plain], layout: torch.memory_format, *, short: bool = False, precision: str = "float32"
) -> Round:
    """As `specrec.training.loop` does it, losses read at the end."""
    _, training = trainings(branches, 64, device="cuda", precision=precision)
    for net in training.modules.values():
        net.to(memory_format=layout)
    crop = Batch(*(part.cuda() for part in batch(256, 1, layout)))
    doing = Recorded(training, torch.device("cuda", 0)) if how is Recorded else Plain(training)

    def work() -> None:
        with exact(), doing.around():
            torch.backends.cudnn.allow_tf32 = short
            losses = [doing.update(index, crop) for index in range(2 * UPDATES)]
            torch.stack([value for named in losses for value in named.values()]).tolist()

    return work


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

    def through(net: nn.Module, layout: torch.memory_format, kind: torch.dtype, *, short: bool = False) -> Round:
        def work() -> None:
            with exact(), torch.autocast("cuda", kind, enabled=kind != torch.float32):
                torch.backends.cudnn.allow_tf32 = short
                rgb = image.to("cuda", non_blocking=True).contiguous(memory_format=layout)
                estimate = net(rgb)
            cube.copy_((estimate.permute(0, 2, 3, 1).float() + 1.0) / 2.0, non_blocking=True)

        return work

    first, last, full = torch.contiguous_format, torch.channels_last, torch.float32
    work = {
        "plain, channels first | float32": through(plain, first, full),
        "plain, channels first | TF32": through(plain, first, full, short=True),
        "ours, channels_last | float32": through(ours, last, full),
        "ours, channels_last | TF32": through(ours, last, full, short=True),
        "ours, channels_last | bfloat16": through(ours, last, torch.bfloat16),
        "ours, channels_last | float16": through(ours, last, torch.float16),
    }
    found = milliseconds(work, repeats)
    work["plain, channels first | float32"]()
    torch.cuda.synchronize()
    reference = cube.clone()
    for name, piece in work.items():
        piece()
        torch.cuda.synchronize()
        spent = statistics.median(found[name])
        share = bound(2 if name.endswith("float16") else 4, image, cube) / spent
        print(f"| {name} | {spent:.2f} | {share:.0%} | {(cube - reference).abs().max():.1e} |", flush=True)
    method = Gan(branches=4)
    method.generator_, method.device = ours, "cuda"
    rgb = (image[0].permute(1, 2, 0).numpy() + 1.0) / 2.0
    spent = statistics.median(milliseconds({"method": lambda: method.reconstruct(rgb)}, 3)["method"])
    print(f"\n`gan` from numpy to numpy, as `specrec run` calls it, float32: {spent:.0f} ms")


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
