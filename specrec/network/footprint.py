"""How much memory a network takes: the tensors that live at once in a pass, counted on a small image."""

import weakref
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from specrec.network.inference import as_input, device_of


def living_bytes(network: nn.Module, side: int, *, last: bool = True) -> int:
    """Find the most memory of tensors that live at once in a pass, in bytes for each pixel.

    Parameters
    ----------
    network
        In evaluation mode.
    side
        Of the square image it is tried on.
    last
        Whether the image lies channels last in memory.
    """
    blank = torch.full((side, side, 3), 0.5, device=device_of(network))
    devices = [blank.device] if blank.is_cuda else []
    living = _Living()
    with torch.inference_mode(), torch.random.fork_rng(devices=devices), living:
        network(as_input(blank, last=last))
    return -(-living.most // (side * side))


class _Living(TorchFunctionMode):
    """Counts the bytes of all tensors that torch's functions have made and that are still there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.most: int = 0
        self._users: dict[int, int] = {}  # of a piece of memory, by its address
        self._known: set[int] = set()

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in _tensors(result):
            self._add(tensor)
        return result

    def _add(self, tensor: Tensor) -> None:
        if id(tensor) in self._known:
            return
        storage = tensor.untyped_storage()
        address, size = storage.data_ptr(), storage.nbytes()
        self._known.add(id(tensor))
        weakref.finalize(tensor, self._drop, id(tensor), address, size)
        self._users[address] = self._users.get(address, 0) + 1
        if self._users[address] == 1:
            self.now += size
            self.most = max(self.most, self.now)

    def _drop(self, number: int, address: int, size: int) -> None:
        self._known.discard(number)
        self._users[address] -= 1
        if not self._users[address]:
            self.now -= size


def _tensors(result: object) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, list | tuple):
        for part in result:
            yield from _tensors(part)
