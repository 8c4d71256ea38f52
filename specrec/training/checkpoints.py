"""The state of a training as one .safetensors file, written whole or not at all; nothing is ever unpickled."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from specrec.cache import written_whole
from specrec.errors import SpecrecError
from specrec.untrusted import check_regular

FORMAT_VERSION = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Identity:
    """What makes two trainings the same.

    Parameters
    ----------
    training
        What must agree: settings, seed, fingerprints of the scenes, in plain JSON values.
    circumstances
        What should agree for the end to be the same to the last bit: device, threads, version of torch.
    code
        `FitContext.identity`: a checkpoint of another one is removed; empty: any will do.
    """

    training: Mapping[str, Any]
    circumstances: Mapping[str, Any]
    code: str = ""


class CheckpointFile:
    """Keeps networks, optimisers, random states and plain values of one training.

    Parameters
    ----------
    path
        Where; what an earlier process was writing there when it was killed is removed.
    identity
        Of this training.
    modules, optimisers
        What is kept, by name.
    device
        Whose random state is kept beside the CPU's.
    """

    def __init__(
        self,
        path: Path,
        identity: Identity,
        modules: Mapping[str, nn.Module],
        optimisers: Mapping[str, torch.optim.Optimizer],
        device: torch.device,
    ) -> None:
        self._path = path
        self._identity = identity
        self._modules = modules
        self._optimisers = optimisers
        self._device = device
        for left in path.parent.glob(f".{path.stem}-*{path.suffix}"):
            left.unlink(missing_ok=True)

    def save(self, values: Mapping[str, Any]) -> None:
        """Write the state as it is now, with plain JSON values beside it.

        Raises
        ------
        SpecrecError
            If it cannot be written; the checkpoint before it is kept.
        """
        from safetensors.torch import save as in_memory  # of a full disk it speaks no OSError

        tensors: dict[str, Tensor] = {}
        places: set[int] = set()
        for name, value in self._tensors().items():
            kept = value.detach().cpu().contiguous()
            place = kept.untyped_storage().data_ptr()
            tensors[name] = kept.clone() if place in places else kept  # the file takes no weights of two names twice
            places.add(place)
        own = {"format_version": FORMAT_VERSION, "training": self._identity.training, "identity": self._identity.code}
        about = {**own, "circumstances": self._identity.circumstances, "values": values}
        with written_whole(self._path) as temporary:
            temporary.write_bytes(in_memory(tensors, metadata={"checkpoint": json.dumps(about)}))

    def restore(self) -> dict[str, Any] | None:
        """Take the networks, optimisers and random states back to where they were, and return the plain values.

        Returns
        -------
        None where there is no checkpoint, or one of other code, which is removed.

        Raises
        ------
        SpecrecError
            If the file is damaged, or of another training; it is left as it is.
        """
        if not self._path.exists():
            return None
        about, tensors = self._read()
        if self._identity.code and about.get("identity") != self._identity.code:
            _log.warning(
                "%s is of other code than is installed now, or of other data; training begins anew", self._path
            )
            self._path.unlink(missing_ok=True)
            return None
        difference = _difference(about["training"], self._plain(self._identity.training))
        if difference:
            raise SpecrecError(
                f"{self._path} is the checkpoint of another training ({difference}); remove it to begin anew"
            )
        difference = _difference(about["circumstances"], self._plain(self._identity.circumstances))
        if difference:
            _log.warning("%s: going on under other circumstances (%s), the end may differ", self._path, difference)
        try:
            self._put(tensors)
        except (KeyError, RuntimeError) as error:
            raise SpecrecError(f"{self._path} does not fit this training ({error}); remove it to begin anew") from None
        values: dict[str, Any] = about["values"]
        return values

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {"random.cpu": torch.get_rng_state()}
        if self._device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self._device)
        for name, module in self._modules.items():
            tensors.update({f"module.{name}.{key}": value for key, value in module.state_dict().items()})
        for name, optimiser in self._optimisers.items():
            for index, parameter in enumerate(_parameters(optimiser)):
                kept = optimiser.state.get(parameter, {})
                tensors.update({f"optimiser.{name}.{index}.{key}": value for key, value in kept.items()})
        return tensors

    def _put(self, tensors: Mapping[str, Tensor]) -> None:
        for name, module in self._modules.items():
            module.load_state_dict(_under(tensors, f"module.{name}."))
        for name, optimiser in self._optimisers.items():
            index = 0
            for group in optimiser.param_groups:
                on_device = bool(group.get("fused") or group.get("capturable"))  # where its kernel reads the counters
                for parameter in group["params"]:
                    kept = _under(tensors, f"optimiser.{name}.{index}.")
                    optimiser.state[parameter] = {
                        key: _like(parameter, value, on_device=on_device) for key, value in kept.items()
                    }
                    index += 1
        if self._device.type == "cuda" and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"], self._device)
        torch.set_rng_state(tensors["random.cpu"])

    def _read(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        from safetensors import SafetensorError, safe_open

        try:
            check_regular(self._path)
            with safe_open(self._path, framework="pt") as file:
                about: dict[str, Any] = json.loads((file.metadata() or {})["checkpoint"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            known = about["format_version"] == FORMAT_VERSION and {"training", "circumstances", "values"} <= set(about)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError):
            known = False
        if not known:
            raise SpecrecError(f"{self._path} is damaged or no checkpoint of this specrec; remove it to begin anew")
        return about, tensors

    @staticmethod
    def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(json.dumps(dict(values)))
        return plain


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _like(parameter: Tensor, value: Tensor, *, on_device: bool) -> Tensor:
    """Lay a moment out in memory as its parameter is: fused optimisers walk both in step. A counter has no layout."""
    if value.shape != parameter.shape:
        return value.to(parameter.device) if on_device else value
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)


def _difference(before: Any, now: Any) -> str:
    if not isinstance(before, dict):
        return "it says nothing of itself"
    for key in [*before, *(key for key in now if key not in before)]:
        if before.get(key) != now.get(key):
            shown = [str(one.get(key))[:60] for one in (before, now)]
            return f"{key} was {shown[0]}, is now {shown[1]}"
    return ""
