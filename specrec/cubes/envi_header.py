"""The text header of an ENVI file: what it says of the numbers, and the attributes of a cube in keys of their own.

``quantity``, ``units``, ``scale_min``, ``scale_max``, ``method``, ``weights_sha256``, ``rendering`` and
``specrec_version`` are keys; other attributes are together in ``further_attributes``, as JSON. A text that would not
come back as it is is quoted as in JSON, such as ``units = "1"``.
"""

import json
import locale
import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.cubes.raw import Layout
from specrec.cubes.stored import DEFAULTS, QUANTITIES, Outline
from specrec.cubes.wavelength_units import in_nanometres, is_known
from specrec.errors import DataError
from specrec.parameters import Value
from specrec.untrusted import check_regular

_TYPES = {
    "1": "u1", "2": "i2", "3": "i4", "4": "f4", "5": "f8", "12": "u2", "13": "u4", "14": "i8", "15": "u8",
}  # fmt: skip
_KEYS = ("quantity", *DEFAULTS, "specrec_version")
_FURTHER = "further_attributes"
_LONGEST = 1 << 22  # bytes: 100,000 bands need less
_MOST_LINES = 20_000  # the library takes time by the square of them


@dataclass(frozen=True)
class Header:
    """What a header says.

    Parameters
    ----------
    layout
        Where the numbers are in the data file.
    wavelengths
        nm, of the bands that are kept.
    kept
        The numbers of the bands that the bad-bands list ``bbl`` does not give up; None: all.
    attributes
        Of the cube.
    ignored
        The stored number that means no value; None: there is none.
    scale, offset
        value = stored * scale + offset; one number or one per band.
    remarks
        Sentences for the user.
    """

    layout: Layout
    wavelengths: NDArray[np.float64]
    kept: NDArray[np.intp] | None
    attributes: dict[str, Value]
    ignored: float | None
    scale: float | NDArray[np.float64]
    offset: float | NDArray[np.float64]
    remarks: tuple[str, ...]


def write_header(path: Path, outline: Outline, ignored: float | None) -> None:
    """Write the header of a cube stored as `specrec.cubes.envi` says."""
    from spectral.io import envi

    height, width, bands = outline.shape
    stated = {key: value for key, value in outline.attributes.items() if key in _KEYS}
    further = {key: value for key, value in outline.attributes.items() if key not in _KEYS}
    quantity, method = stated["quantity"], str(stated["method"]).replace("{", "").replace("}", "")
    fields: dict[str, Any] = {
        "description": f"{quantity}, {f'estimated by {method}' if method.isprintable() and method else 'a cube'}",
        "samples": width,
        "lines": height,
        "bands": bands,
        "header offset": 0,
        "file type": "ENVI Standard",
        "data type": 12 if outline.coding.is_scaled else 4,
        "interleave": "bip",
        "byte order": 0,
        "wavelength units": "Nanometers",
        "wavelength": outline.wavelengths.tolist(),
    }
    if outline.coding.is_scaled:
        fields["data gain values"] = [outline.coding.scale] * bands
        fields["data offset values"] = [outline.coding.offset] * bands
    if ignored is not None:
        fields["data ignore value"] = ignored
    fields |= {key: _as_text(value) for key, value in stated.items()}
    if further:
        fields[_FURTHER] = f"json {json.dumps(further)}"
    envi.write_envi_header(str(path), fields)


def read_header(path: Path, wavelengths: NDArray[np.float64] | None) -> Header:
    """Read a header.

    Parameters
    ----------
    path
        The .hdr file.
    wavelengths
        nm, for a header that says none, or none in a unit that is read.

    Raises
    ------
    DataError
        If a key is missing, or says what cannot be; the message names it.
    """
    fields = _parse(path)
    if "library" in str(fields.get("file type", "")).lower():
        raise DataError(f"{path} is the header of a spectral library, not of a cube")
    for key in ("file compression", "major frame offsets", "minor frame offsets"):
        if any(number != 0 for number in _numbers(fields, key, path)):
            raise DataError(f"{path}: the key {key!r} is not 0, and such data cannot be read; save the cube without")
    height, width, bands = (_count(fields, key, path, least=1) for key in ("lines", "samples", "bands"))
    start = _count(fields, "header offset", path, least=0, neutral="0")
    kind = str(fields.get("data type", "none"))
    if kind not in _TYPES:
        raise DataError(f"{path}: the data type is {kind}; {', '.join(_TYPES)} are read (real numbers)")
    order = _choice(fields, "byte order", ("0", "1"), path, neutral="0")
    interleave = _choice(fields, "interleave", ("bip", "bil", "bsq"), path)
    dtype = np.dtype(_TYPES[kind]).newbyteorder("<" if order == "0" else ">")
    layout = Layout((height, width, bands), dtype, interleave, start)
    scale, offset = _scaling(fields, bands, path)
    (grid, remarks), kept = _wavelengths(fields, bands, wavelengths, path), _kept(fields, bands, path)
    if kept is not None:
        grid = grid[kept]
        scale, offset = (every[kept] if np.ndim(every) else every for every in (np.asarray(scale), np.asarray(offset)))
    ignored = _numbers(fields, "data ignore value", path, finite=False)
    return Header(
        layout,
        grid,
        kept,
        _attributes(fields, path),
        ignored[0] if ignored else None,
        scale,
        offset,
        remarks,
    )


def _parse(path: Path) -> dict[str, Any]:
    from spectral.io import envi

    try:
        check_regular(path)
        if path.stat().st_size > _LONGEST or (content := path.read_bytes()).count(b"\n") > _MOST_LINES:
            raise DataError(f"{path} is too long for an ENVI header")
        with warnings.catch_warnings(), TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")  # keys of mixed case are common, and read as lower case
            copied = Path(folder) / "header.hdr"  # the library reads one encoding alone, and older headers have another
            copied.write_text(_text(content), encoding=locale.getencoding(), errors="replace")
            fields: dict[str, Any] = envi.read_envi_header(str(copied))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    except DataError:
        raise
    except Exception:  # the library answers damage with whatever its parser meets
        raise DataError(f"{path} is not a whole ENVI header; copy it again") from None
    return fields


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _wavelengths(
    fields: dict[str, Any], bands: int, given: NDArray[np.float64] | None, path: Path
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    said, unit, remark = np.array(_numbers(fields, "wavelength", path)), str(fields.get("wavelength units", "")), None
    if given is not None and not (said.size and is_known(unit)):
        grid = given
    elif said.size:
        grid, remark = in_nanometres(said, unit, str(path))
    else:
        raise DataError(
            f"{path} says no wavelengths; add a line 'wavelength = {{ .. }}' in nanometers to it, or give them"
            " (--wavelengths)"
        )
    if grid.size != bands:
        raise DataError(f"{path}: the cube has {bands} bands and there are {grid.size} wavelengths")
    return grid, (remark,) if remark else ()


def _kept(fields: dict[str, Any], bands: int, path: Path) -> NDArray[np.intp] | None:
    """Read which bands the bad-bands list keeps: those that are not 0."""
    good = np.array(_numbers(fields, "bbl", path))
    if good.size == 0 or good.all():
        return None
    if good.size != bands:
        raise DataError(f"{path}: the cube has {bands} bands and the bad-bands list bbl {good.size}")
    if not good.any():
        raise DataError(f"{path}: the bad-bands list bbl gives up every band")
    return np.flatnonzero(good)


def _scaling(
    fields: dict[str, Any], bands: int, path: Path
) -> tuple[float | NDArray[np.float64], float | NDArray[np.float64]]:
    gains, offsets = (_numbers(fields, f"data {what} values", path) for what in ("gain", "offset"))
    for name, found in (("gain", gains), ("offset", offsets)):
        if found and len(found) != bands:
            raise DataError(f"{path}: the cube has {bands} bands and there are {len(found)} data {name} values")
    if gains or offsets:
        return np.array(gains) if gains else 1.0, np.array(offsets) if offsets else 0.0
    factor = (_numbers(fields, "reflectance scale factor", path) or [1.0])[0]
    if factor <= 0.0:
        raise DataError(f"{path}: the reflectance scale factor is {factor:g}; a positive number was expected")
    return (1.0 if factor == 1.0 else np.array(1.0 / factor)), 0.0


def _attributes(fields: dict[str, Any], path: Path) -> dict[str, Value]:
    found = {key: _from_text(fields[key]) for key in _KEYS if isinstance(fields.get(key), str)}
    if found.get("quantity", QUANTITIES[0]) not in QUANTITIES:
        raise DataError(f"{path}: the quantity is {found['quantity']!r}, not {' or '.join(QUANTITIES)}")
    further = fields.get(_FURTHER)
    if isinstance(further, str):
        try:
            said = json.loads(further.removeprefix("json "))
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise DataError(f"{path}: the key {_FURTHER!r} is damaged; copy the header again")
        found |= {
            key: value if isinstance(value, bool | int | float | str) else str(value) for key, value in said.items()
        }
    return found


def _as_text(value: Value) -> str:
    """Write a value so that `_from_text` gives it back."""
    plain = isinstance(value, str) and re.fullmatch(r"[!-z|~]([ -z|~]*[!-z|~])?", value) is not None
    return str(value) if plain and _from_text(str(value)) == value else json.dumps(value)


def _from_text(text: str) -> Value:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, bool | int | float | str) else text


def _numbers(fields: dict[str, Any], key: str, path: Path, *, finite: bool = True) -> list[float]:
    """Read a key that holds numbers, one or a list in braces; nothing if it is missing."""
    said = fields.get(key, [])
    try:
        numbers = [float(text) for text in ([said] if isinstance(said, str) else said) if str(text).strip()]
    except ValueError:
        raise DataError(f"{path}: the key {key!r} holds something else than numbers") from None
    if finite and not all(map(math.isfinite, numbers)):
        raise DataError(f"{path}: the key {key!r} holds numbers that are not finite")
    return numbers


def _count(fields: dict[str, Any], key: str, path: Path, *, least: int, neutral: str = "") -> int:
    said = str(fields.get(key, neutral)).strip()
    if not said:
        raise DataError(f"{path} has no key {key!r}")
    if not re.fullmatch("[0-9]{1,15}", said) or int(said) < least:
        raise DataError(f"{path}: the key {key!r} is {said[:40]!r}; a whole number from {least} on was expected")
    return int(said)


def _choice(fields: dict[str, Any], key: str, valid: tuple[str, ...], path: Path, neutral: str = "none") -> str:
    said = str(fields.get(key, neutral)).strip().lower()
    if said not in valid:
        raise DataError(f"{path}: the key {key!r} is {said[:40]!r}, not one of {', '.join(valid)}")
    return said
