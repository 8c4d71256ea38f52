"""What the record of a cell must look like before a table is made of it: the file may be anyone's."""

from collections.abc import Callable, Mapping
from typing import Any
from unicodedata import category

_LONGEST_NAME = 2000  # letters


def is_name(value: object) -> bool:
    r"""Tell whether this is a text of one line, as methods and scenes are called.

    Examples
    --------
    >>> is_name("gan[branches=4]"), is_name("two\nlines"), is_name(7)
    (True, False, False)
    """
    return is_line(value) and 0 < len(str(value)) <= _LONGEST_NAME


def is_line(value: object) -> bool:
    """Tell whether this is a text without line ends, and without what steers a terminal."""
    return isinstance(value, str) and not any(category(letter) in ("Cc", "Zl", "Zp") for letter in value)


def is_file_name(value: object) -> bool:
    """Tell whether this is a name that leads to no other folder.

    Examples
    --------
    >>> is_file_name("gan-0a1b2c3d"), is_file_name("../gan"), is_file_name("..")
    (True, False, False)
    """
    return is_name(value) and not {"/", "\\"} & set(str(value)) and value not in (".", "..")


def is_record(record: Any) -> bool:
    """Tell whether this is a record as `specrec.cells.records.write_record` writes them, as far as tables use it."""
    if not isinstance(record, dict) or record.get("status") not in ("done", "failed"):
        return False
    if not all(fits(record[key]) for key, fits in _FIELDS.items() if key in record):
        return False
    needed = ("written", "fold", "run", "reason" if record["status"] == "failed" else "images")
    return all(key in record for key in needed)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _is_images(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_image, value))


def _is_image(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("scores"), dict):
        return False
    return (
        is_name(value.get("scene"))
        and _is_whole(value.get("valid_pixels"))
        and all(map(_is_score, value["scores"].values()))
    )


def _is_score(value: object) -> bool:
    if not isinstance(value, list) or len(value) < 2 or not all(map(_is_number, value[1:])) or value[1] < 0:
        return False
    return value[0] in ("nan", "inf", "-inf") if isinstance(value[0], str) else isinstance(value[0], float | int)


def _is_words(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(is_line, value.values()))


def _or_none(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or fits(value)


_FIELDS: Mapping[str, Callable[[object], bool]] = {
    "method": is_name,
    "written": is_name,
    "slug": is_file_name,
    "fold": _is_whole,
    "run": _is_whole,
    "reason": is_line,
    "device": is_name,
    "settings": lambda value: isinstance(value, dict),
    "images": _is_images,
    "training_images": _is_images,
    "broken_metrics": _is_words,
    "versions": _is_words,
    "curve": lambda value: isinstance(value, list) and all(isinstance(point, dict) for point in value),
    "fit_seconds": _is_number,
    "reconstruct_seconds": _is_number,
    "megapixels": _is_number,
    "peak_memory_bytes": _or_none(_is_whole),
    "parameter_count": _or_none(_is_whole),
    "receptive_field": _or_none(_is_whole),
    "cubes_saved": lambda value: isinstance(value, bool),
}
