"""A fitted method with its card, ready to compute on a device."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specrec import weights as weight_files
from specrec.interfaces import Reconstructor
from specrec.parameters import parse_spec
from specrec.registry import registry
from specrec.spectra import check_wavelengths


class Loaded(NamedTuple):
    """A fitted method, and what its weights file says of it."""

    method: Reconstructor
    path: Path
    card: dict[str, Any]
    wavelengths: NDArray[np.float64]


def load(
    method: str, weights: str | os.PathLike[str] | None = None, device: str = "auto", threads: int = 1
) -> Reconstructor:
    """Load a fitted method.

    Parameters
    ----------
    method
        Such as ``"gan"``; parameters in brackets must agree with the weights.
    weights
        A .safetensors file; default: ``SPECREC_WEIGHTS/<method>.safetensors``, then those that come with the method.
    device
        ``auto``, ``cpu``, ``cuda[:N]`` or ``mps``.
    threads
        How many a method that sees single pixels spreads large blocks over; a network uses those that torch is set to.

    Returns
    -------
    A method whose ``reconstruct(rgb)`` takes (height, width, 3) float32 sRGB in [0, 1] (XYZ/100 if its ``input`` is
    ``"linear"``) and gives (height, width, 31) float32 at 400, 410, .. 700 nm.

    Raises
    ------
    UsageError
        For an unknown method, or where there are no weights.
    DataError
        If the file holds no weights of that method.
    """
    return load_with_card(method, weights, device, threads).method


def load_with_card(
    method: str, weights: str | os.PathLike[str] | None = None, device: str = "auto", threads: int = 1
) -> Loaded:
    """Load a fitted method as `load` does, together with its card and the wavelengths of its bands."""
    name, given = parse_spec(method)
    registry().reconstructor(name)
    path = weight_files.find(name, Path(weights) if weights is not None else None)
    fitted = weight_files.load_file(path, name, given)
    fitted.device, fitted.threads = choose_device(fitted, device), threads
    card = weight_files.read_card(path)
    return Loaded(fitted, path, card, check_wavelengths(card["wavelengths"], f"the card of {path}"))


def choose_device(method: Reconstructor, device: str) -> str:
    """Choose where a method computes: what is asked for if it needs torch, else the CPU, for it has no other use."""
    if "torch" not in method.requires:
        return "cpu"
    from specrec.training import session

    return session.choose_device(device)
