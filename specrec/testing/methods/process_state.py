"""The state of a process that a plugin must leave alone: global random generators, and how libraries compute."""

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


@contextmanager
def stirred(seed: int) -> Iterator[None]:
    """Give the global generators other states for a while, as other code in the process would."""
    torch: Any = sys.modules.get("torch")
    before = random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None  # noqa: NPY002 - it is tested
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - as above
    if torch:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002 - as above
        if torch and before[2] is not None:
            torch.set_rng_state(before[2])


@contextmanager
def put_back(seed: int) -> Iterator[None]:
    """Give the global generators other states for a while, and undo what a plugin has done to the process meanwhile."""
    folder, errors, torch = Path.cwd(), np.geterr(), sys.modules.get("torch")
    before = _of_torch(torch) if torch else {}
    try:
        with stirred(seed):
            yield
    finally:
        os.chdir(folder)
        np.seterr(**errors)
        torch = sys.modules.get("torch")
        if torch and not before:  # imported meanwhile
            torch.set_default_dtype(torch.float32)
            torch.set_grad_enabled(True)
            torch.use_deterministic_algorithms(False)
        elif torch:
            torch.set_default_dtype(before["torch's default dtype"])
            torch.set_num_threads(before["torch's number of threads"])
            torch.set_grad_enabled(before["torch's grad mode"])
            torch.use_deterministic_algorithms(before["torch's deterministic algorithms"])


def process_state() -> dict[str, Any]:
    """Describe the state of this process; values of one name can be compared."""
    numpy: Any = np.random.get_state(legacy=False)  # noqa: NPY002 - as above
    words = numpy["state"]
    state: dict[str, Any] = {
        "Python's global random state": random.getstate(),
        "NumPy's global random state": (words["key"].tobytes(), words["pos"]),
        "NumPy's treatment of floating-point errors": np.geterr(),
        "the working folder": Path.cwd(),
    }
    torch = sys.modules.get("torch")
    return {**state, **_of_torch(torch)} if torch else state


def differing(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    """Name what is no longer as it was; what was imported meanwhile was nothing before."""
    return tuple(name for name, value in before.items() if after[name] != value)


def _of_torch(torch: Any) -> dict[str, Any]:
    return {
        "torch's global random state": torch.get_rng_state().numpy().tobytes(),
        "torch's default dtype": torch.get_default_dtype(),
        "torch's number of threads": torch.get_num_threads(),
        "torch's grad mode": torch.is_grad_enabled(),
        "torch's deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
    }
