"""A fitted method as one .safetensors file with its card; nothing is ever unpickled.

Lookup of weights: the file given, then ``SPECREC_WEIGHTS/<method>.safetensors``, then the plugin's own package data.
"""

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from specrec.cache import written_whole
from specrec.errors import DataError, SpecrecError, UsageError, in_a_line
from specrec.interfaces import Reconstructor
from specrec.parameters import Settings
from specrec.registry import registry
from specrec.rendering import Quantisation, rendering_id
from specrec.untrusted import check_regular

FORMAT_VERSION = 1


def make_card(
    method: Reconstructor,
    *,
    wavelengths: Sequence[float],
    scenes: Sequence[str],
    seed: int,
    quantisation: Quantisation = "round",
    **more: Any,
) -> dict[str, Any]:
    """Write down what a fitted method is: everything one needs to use it or to make it again."""
    return {
        "format_version": FORMAT_VERSION,
        "method": method.name,
        "settings": dict(method.settings),
        "wavelengths": [float(value) for value in wavelengths],
        "input": method.input,
        "rendering": rendering_id(quantisation),
        "training_scenes": list(scenes),
        "seed": seed,
        "parameter_count": method.parameter_count,
        "versions": {
            "specrec": version("specrec"),
            "python": platform.python_version(),
            "numpy": np.__version__,
            **({"torch": version("torch")} if "torch" in method.requires else {}),
        },
        **more,
    }


def save(method: Reconstructor, path: Path, card: Mapping[str, Any], *, overwrite: bool = True) -> None:
    """Write a fitted method and its card to `path`, whole or not at all.

    Raises
    ------
    UsageError
        If a file is there that must not be replaced; it stays as it is.
    """
    from safetensors.numpy import save as in_memory  # of a full disk it speaks no OSError

    arrays, config = method.state()
    metadata = {"card": json.dumps(dict(card)), "config": json.dumps(config)}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with written_whole(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(in_memory(contiguous, metadata=metadata))


def read_card(path: Path) -> dict[str, Any]:
    """Read the card of a weights file."""
    return _open(path)[0]


def load_file(path: Path, name: str, given: Settings | None = None, device: str = "cpu") -> Reconstructor:
    """Build the fitted method of a weights file.

    Parameters
    ----------
    path
        The .safetensors file.
    name
        The method it must hold.
    given
        Parameters the user insists on; one that disagrees with the card is an error.
    device
        Where it shall compute.

    Raises
    ------
    DataError
        If the file is no weights file of that method.
    UsageError
        If a given parameter disagrees with the card.
    """
    card, config, arrays = _open(path)
    if card["method"] != name:
        raise DataError(f"{path} holds weights of {card['method']!r}, not of {name!r}")
    method_class = registry().reconstructor(name)
    wanted = method_class(**(given or {})).settings
    for key in given or {}:
        # a file older than a parameter was made with its default; the type of one may have changed since
        trained = card["settings"].get(key, method_class.parameters[key].default)
        if str(trained) != str(wanted[key]):
            raise UsageError(
                f"{name}[{key}={wanted[key]}] disagrees with {path}, which was trained with {key}={trained}"
            )
    return _built(path, method_class, card, config, arrays, device)


def load_as(method_class: type[Reconstructor], path: Path, device: str = "cpu") -> Reconstructor:
    """Build the fitted method of a weights file as an object of a class, whether that is installed or not.

    Raises
    ------
    DataError
        If the file is no weights file of it.
    """
    return _built(path, method_class, *_open(path), device)


def _built(
    path: Path,
    method_class: type[Reconstructor],
    card: Mapping[str, Any],
    config: Mapping[str, Any],
    arrays: dict[str, Any],
    device: str,
) -> Reconstructor:
    try:
        method = method_class.from_state(card["settings"], arrays, config)
    except SpecrecError:
        raise
    except Exception as error:  # a plugin may raise anything
        words = error if isinstance(error, ValueError) else in_a_line(error)
        raise DataError(f"{path} does not fit this version of {method_class.name!r}: {words}") from error
    method.device = device
    return method


def find(name: str, weights: Path | None = None) -> Path:
    """Find the weights file of a method.

    Raises
    ------
    UsageError
        If there is none; the message gives the command that makes one.
    """
    if weights is not None:
        if not weights.is_file():
            raise UsageError(f"there is no weights file {weights}")
        return weights
    folder = os.environ.get("SPECREC_WEIGHTS")
    if folder and (candidate := Path(folder) / f"{name}.safetensors").is_file():
        return candidate
    package = registry().reconstructor(name).__module__.partition(".")[0]
    with suppress(TypeError, ImportError):  # a plugin of a single module has no files beside it
        shipped = files(package) / "weights" / f"{name}.safetensors"
        if shipped.is_file():
            with as_file(shipped) as path:
                return path
    raise UsageError(
        f"there are no weights for {name!r}; train some with: specrec train {name} -d synthetic --scaling none"
        f" -o {name}.safetensors and pass them with --weights"
    )


def sha256(path: Path) -> str:
    """Hash a weights file, as cubes made with it store."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _open(path: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        check_regular(path)
        with safe_open(path, framework="numpy") as weights:
            metadata = weights.metadata() or {}
            arrays = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118 - it is no mapping
        card, config = json.loads(metadata["card"]), json.loads(metadata["config"])
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError, MemoryError):
        raise DataError(f"{path} is not a .safetensors file (other kinds, such as .pt, are never opened)") from None
    except KeyError:
        raise DataError(f"{path} is a .safetensors file without specrec's card; make one with specrec train") from None
    if not isinstance(card, dict) or not isinstance(card.get("settings", {}), dict):
        raise DataError(f"{path} holds a card that is none; make one with specrec train")
    missing = {"format_version", "method", "settings", "wavelengths", "input", "rendering"} - set(card)
    if missing or card["format_version"] != FORMAT_VERSION:
        wrong = f"lacks {', '.join(sorted(missing))}" if missing else f"has format {card['format_version']}"
        raise DataError(f"the card of {path} {wrong}; this specrec reads format {FORMAT_VERSION}")
    return card, config, arrays
