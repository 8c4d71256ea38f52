"""A trained network on whole images: padding to its grid, the estimate, and what moves it."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from specrec.errors import SpecrecError
from specrec.scenes import Image
from specrec.spectra import Cube
from specrec.training.session import exact


def check_estimate(name: str, estimate: object, seen: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Raise SpecrecError unless a network answered a tensor of one shape with one of another.

    Parameters
    ----------
    name
        Of the method.
    estimate
        What the network answered.
    seen, wanted
        (n, 3, height, width) and (n, bands, height, width).
    """
    if isinstance(estimate, Tensor) and tuple(estimate.shape) == wanted:
        return
    found = str(tuple(estimate.shape)) if isinstance(estimate, Tensor) else f"a {type(estimate).__name__}"
    raise SpecrecError(f"{name}: its network answered images of {seen} with {found}, and the cubes are {wanted}")


def reflected(side: int, grid: int) -> NDArray[np.int64]:
    """Places of an image's rows or columns, padded at the end to a multiple of `grid` by repeated reflection.

    Examples
    --------
    >>> reflected(3, 8).tolist(), reflected(1, 4).tolist()
    ([0, 1, 2, 1, 0, 1, 2, 1], [0, 0, 0, 0])
    """
    return np.pad(np.arange(side), (0, -side % grid), mode="reflect")


def reconstruct(
    network: nn.Module, rgb: Image, grid: int, bands: int, seed: int, *, last: bool = True, name: str = "the method"
) -> Cube:
    """Estimate the cube of an image.

    Parameters
    ----------
    network
        In evaluation mode, where it shall compute.
    rgb
        (height, width, 3).
    grid
        Sides are padded to multiples of it, and cropped back.
    bands
        Of the cube.
    seed
        Of a network that draws numbers.
    last
        Whether the image lies channels last in memory.
    name
        Of the method, for messages.

    Returns
    -------
    (height, width, bands) float32: the estimate taken from [-1, 1] to [0, 1], not clipped.

    Raises
    ------
    SpecrecError
        If the network answers with another size.
    """
    height, width = rgb.shape[:2]
    rows, columns = reflected(height, grid), reflected(width, grid)
    padded = rgb[rows[:, np.newaxis], columns].astype(np.float32, copy=False)
    device = device_of(network)
    devices = [device] if device.type == "cuda" else []
    with exact(), torch.inference_mode(), torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        image = as_input(torch.from_numpy(padded).to(device), last=last)
        estimate = network(image)
        check_estimate(name, estimate, tuple(image.shape), (1, bands, *image.shape[2:]))
        cube = torch.empty(height, width, bands)
        cube.copy_(estimate[0, :, :height, :width].permute(1, 2, 0))
        answer: Cube = cube.add_(1.0).div_(2.0).numpy()
    return answer


def influence(
    network: nn.Module, rgb: Image, grid: int, place: tuple[int, int], *, last: bool = True
) -> NDArray[np.float32]:
    """Differentiate the estimate at a place (row, column) by the image; see `Reconstructor.influence`.

    The other parameters are those of `reconstruct`.
    """
    row, column = place
    rows, columns = (torch.from_numpy(reflected(side, grid)) for side in rgb.shape[:2])
    image = torch.from_numpy(np.array(rgb, np.float32)).to(device_of(network)).requires_grad_()
    squares = torch.zeros(image.shape[:2], device=image.device)
    with exact():
        estimate = network(as_input(image[rows][:, columns], last=last))
        for value in (estimate[0, :, row, column] + 1.0) / 2.0:
            (gradient,) = torch.autograd.grad(value, image, retain_graph=True, materialize_grads=True)
            squares += gradient.square().sum(2)
    answer: NDArray[np.float32] = squares.sqrt().cpu().numpy()
    return answer


def as_input(image: Tensor, *, last: bool) -> Tensor:
    """Turn an image (height, width, 3) in [0, 1] into what a network sees: (1, 3, height, width) in [-1, 1]."""
    turned = (2.0 * image - 1.0).permute(2, 0, 1)[None]
    return turned.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)


def device_of(network: nn.Module) -> torch.device:
    """Tell where a network is."""
    return next((part.device for part in network.parameters()), torch.device("cpu"))
