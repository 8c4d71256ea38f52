"""How many operations a fitted method takes for each pixel: what it declares, or what torch's counter counts."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np

from specrec.errors import SpecrecError, plain_line
from specrec.interfaces import Reconstructor

SIDE = 256
"""Pixels of the sides of the image that operations are counted on, made a multiple of the method's grid."""


def operations(method: Reconstructor) -> dict[str, Any] | None:
    """Return ``operations_per_pixel`` and whether they are ``operations_counted``: by torch; None: nobody knows.

    Raises
    ------
    SpecrecError
        If the method declares what is no positive number.
    """
    declared = method.operations
    if declared is not None:
        if not isinstance(declared, Real) or isinstance(declared, bool) or not 0.0 < float(declared) < 1e300:
            raise SpecrecError(f"operations is a number above 0 or None, not {plain_line(repr(declared), 80)}")
        return {"operations_per_pixel": float(declared), "operations_counted": False}
    if "torch" not in method.requires:
        return None
    found = counted(method)
    return {"operations_per_pixel": found, "operations_counted": True} if found else None


def counted(method: Reconstructor) -> float:
    """Count the operations for each pixel of noise, on the CPU; 0 where torch computes no product at all.

    Nearly every pixel of noise has a colour of its own, so that nothing is saved that only some images save.
    """
    side = -(-SIDE // method.grid) * method.grid
    levels = np.random.default_rng(0).integers(0, 256, (side, side, 3))
    image = levels.astype(np.float32) / np.float32(255.0)
    device, threads = method.device, method.threads
    try:
        method.device, method.threads = "cpu", 1  # torch's counter sees the thread that it was started in, no other
        with unfused():
            total = count(lambda: method.reconstruct(image))
    finally:
        method.device, method.threads = device, threads
    return total / (side * side)


def count(work: Callable[[], object]) -> int:
    """Count multiplications and additions of matrix products, convolutions and attention that torch computes."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

    def product(_bias: Any, left: Any, right: Any, **_more: Any) -> int:
        return int(2 * math.prod(left) * right[-1])

    def attention(query: Any, key: Any, value: Any, *_rest: Any, **_more: Any) -> int:
        return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call] # torch's

    aten = torch.ops.aten
    missing = {  # what torch's own table of operations leaves out: products in place, and a CPU's attention
        aten.addmm_: product,
        aten.baddbmm_: product,
        aten._scaled_dot_product_flash_attention_for_cpu: attention,
    }
    with FlopCounterMode(display=False, custom_mapping=missing) as counter:
        work()
    return int(counter.get_total_flops())


@contextmanager
def unfused() -> Iterator[None]:
    """Let torch's transformer layers compute in the steps that are counted, not in the one that is not."""
    import torch

    mha = torch.backends.mha
    before = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        mha.set_fastpath_enabled(before)
