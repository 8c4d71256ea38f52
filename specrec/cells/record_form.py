"""What the record of a cell must look like before a table is made of it: the file may be anyone's."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, cast
from unicodedata import category

LARGEST = 1e300
"""Numbers beyond are of no measurement."""
LARGEST_SCORE = 1e150
"""The same of scores and their weights, whose squares and products are summed."""
_LONGEST_NAME = 2000  # letters
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They show a text in another order than it has."""
Fits = Callable[[object], bool]


def is_name(value: object) -> bool:
    r"""Tell whether this is a text of one line, as methods and scenes are called.

    Examples
    --------
    >>> is_name("gan[branches=4]"), is_name("two\nlines"), is_name(7)
    (True, False, False)
    """
    return is_line(value) and 0 < len(str(value)) <= _LONGEST_NAME


def is_line(value: object) -> bool:
    """Tell whether this is a text without line ends, and without what steers a terminal or turns its letters round.

    A byte of a name in an older encoding, which Python reads as one of U+DC80 to U+DCFF, is fine; other halves of
    letters are not, since no file can hold them.
    """
    if not isinstance(value, str):
        return False
    # nearly every text can be printed; the others may hold spaces of other kinds, which do no harm
    return value.isprintable() or not any(map(_is_refused, value))


def _is_refused(letter: str) -> bool:
    if "\udc80" <= letter <= "\udcff":
        return False
    return letter in _TURNING or category(letter) in ("Cc", "Cs", "Zl", "Zp")


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


def _is_finite(value: object) -> bool:
    """Tell whether this is a number that a float can hold: JSON has whole numbers beyond, and Python's NaN too."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_number(value: object) -> bool:
    return _is_finite(value) and abs(cast(float, value)) < LARGEST


def _is_amount(value: object) -> bool:
    return _is_number(value) and cast(float, value) >= 0


def _is_images(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_image, value))


def _is_image(value: object) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("scores"), dict):
        return False
    return (
        is_name(value.get("scene"))
        and _is_whole(value.get("valid_pixels"))
        and all(map(is_name, value["scores"]))
        and all(map(_is_score, value["scores"].values()))
        and _is_separate(value.get("separate_tiles", {}))
    )


def _is_score(value: object) -> bool:
    if not isinstance(value, list) or len(value) < 2 or not all(map(_is_summed, value[1:])) or value[1] < 0:
        return False
    return value[0] in ("nan", "inf", "-inf") if isinstance(value[0], str) else _is_summed(value[0])


def _is_summed(value: object) -> bool:
    return _is_number(value) and abs(cast(float, value)) < LARGEST_SCORE


def _is_separate(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(pair, list) and len(pair) == 3 and all(map(_is_number, pair)) and pair[2] > 0
        for pair in value.values()
    )


def _is_words(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(is_line, (*value, *value.values())))


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool) or _is_finite(value) or is_line(value)


def _is_settings(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(is_line, value)) and all(map(_is_part, value.values()))


def _is_code(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(is_line, value)) and all(map(_is_words, value.values()))


def _is_curve(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(point, dict) for point in value)


def _is_shape(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value))


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _or_none(fits: Fits) -> Fits:
    return lambda value: value is None or fits(value)


def _is_cost(value: object) -> bool:
    return isinstance(value, Mapping) and all(key in _COST and _COST[key](one) for key, one in value.items())


def is_decided(value: object) -> bool:
    """Tell whether this is what decides a cell, or a part of it, as `specrec.cells.key` writes it."""
    return isinstance(value, Mapping) and all(
        is_line(key) and _DECIDED.get(key, _is_part)(one) for key, one in value.items()
    )


def _is_part(value: object) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, list) else _is_plain(value)


_COST: Mapping[str, Fits] = {
    "image": is_name,
    "image_shape": _is_shape,
    "operations_counted": _is_flag,
    "processor": _or_none(is_line),
    "gpu": _or_none(is_line),
    **dict.fromkeys(
        (
            "cpu_threads", "memory_bytes", "gpu_memory_bytes", "operations_per_pixel",
            "cpu_seconds_per_megapixel", "wall_seconds_per_megapixel", "gpu_seconds_per_megapixel",
        ),
        _or_none(_is_amount),
    ),
}  # fmt: skip
_DECIDED: Mapping[str, Fits] = {
    "settings": _is_settings,
    "code": _is_words,
    "plugin": _or_none(is_line),
    "specrec": _or_none(is_line),
}
_FIELDS: Mapping[str, Fits] = {
    "key": is_name,
    "decided_by": is_decided,
    "method": is_name,
    "written": is_name,
    "slug": is_file_name,
    "fold": _is_whole,
    "run": _is_whole,
    "reason": is_line,
    "device": is_name,
    "processor": is_line,
    "accelerator": _or_none(is_line),
    "settings": _is_settings,
    "images": _is_images,
    "training_images": _is_images,
    "cross_images": _is_images,
    "broken_metrics": _is_words,
    "versions": _is_words,
    "metric_code": _is_code,
    "curve": _is_curve,
    "cost": _or_none(_is_cost),
    "starts": _is_whole,
    **dict.fromkeys(
        ("fit_seconds", "fit_cpu_seconds", "reconstruct_seconds", "reconstruct_cpu_seconds", "megapixels"), _is_amount
    ),
    "peak_memory_bytes": _or_none(_is_whole),
    "parameter_count": _or_none(_is_whole),
    "receptive_field": _or_none(_is_whole),
    "cubes_saved": _is_flag,
}
