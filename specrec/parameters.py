"""Declared parameters: what a method or data set can be told, and how `gan[branches=4,epochs=50]` is read."""

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from specrec.errors import UsageError

Value = bool | int | float | str
Settings = Mapping[str, Value]


@dataclass(frozen=True)
class Parameter:
    """One thing that can be set.

    Parameters
    ----------
    default
        Its type is the parameter's type.
    help
        What it does, in a few words, with its unit.
    choices
        The only values allowed; empty: any.
    minimum, maximum
        Inclusive bounds of a number.
    supersedes
        Name of a parameter that a preset may set and that falls back to its default when this one is given.
    """

    default: Value
    help: str
    choices: tuple[Value, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    supersedes: str | None = None

    def read(self, value: Value, where: str) -> Value:
        """Return `value` with the parameter's type, or say why it cannot be."""
        kind = type(self.default)
        try:
            result = _convert(value, kind)
        except (TypeError, ValueError, OverflowError):
            raise UsageError(f"{where} takes {_KIND_NAMES[kind]}, not {value!r}") from None
        if self.choices and result not in self.choices:
            raise UsageError(f"{where} is one of {', '.join(map(str, self.choices))}; not {value!r}")
        if isinstance(result, int | float) and not isinstance(result, bool):
            low = -float("inf") if self.minimum is None else self.minimum
            high = float("inf") if self.maximum is None else self.maximum
            if not low <= result <= high:
                bounds = f"at least {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
                raise UsageError(f"{where} must be {bounds}, not {value!r}")
        return result


_KIND_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _convert(value: Value, kind: type) -> Value:
    if kind is bool:
        try:
            return _BOOLEANS[str(value).lower()]
        except KeyError:
            raise ValueError(value) from None
    if isinstance(value, bool):
        raise ValueError(value)
    if kind is int:
        if isinstance(value, float) and not value.is_integer():
            raise ValueError(value)
        return int(value)
    if kind is float:
        number = float(value)
        if number != number or number in (float("inf"), -float("inf")):
            raise ValueError(value)
        return number
    return str(value)


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name is meant, or list them all: the end of an "unknown" message.

    Examples
    --------
    >>> nearest("branch", ["branches", "width"])
    "did you mean 'branches'?"
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"choose from {', '.join(names)}" if names else "there are none"


def resolve(
    owner: str,
    declared: Mapping[str, Parameter],
    presets: Mapping[str, Settings],
    given: Settings,
    preset: str | None = None,
) -> dict[str, Value]:
    """Work out every parameter: a bracket over the preset, the preset over the default.

    Parameters
    ----------
    owner
        The method or data set, for messages.
    declared
        Its parameters.
    presets
        Named sets of values. An owner that has presets declares a parameter ``preset``.
    given
        What the user said.
    preset
        What the protocol asks for; ignored by an owner that has no preset of that name.

    Raises
    ------
    UsageError
        For an unknown name or a value that is not of its type; the nearest name is suggested.
    """
    for name in given:
        if name not in declared:
            raise UsageError(f"{owner} has no parameter {name!r}; {nearest(name, declared)}")
    read = {name: declared[name].read(value, f"{owner}[{name}]") for name, value in given.items()}
    values = {name: parameter.default for name, parameter in declared.items()}
    if presets:
        wanted = preset if preset in presets else str(values["preset"])
        chosen = str(read.get("preset", wanted))
        values.update(presets[chosen], preset=chosen)
    for name in read:
        superseded = declared[name].supersedes
        if superseded is not None:
            values[superseded] = declared[superseded].default
    values.update(read)
    return values


_LONGEST = 500  # letters that a message repeats
_SPEC = re.compile(r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]*)\s*(?:\[(?P<inside>[^\[\]]*)\])?\s*")


def split_specs(text: str) -> list[str]:
    """Split a list at the commas that stand outside brackets.

    Examples
    --------
    >>> split_specs("gan[branches=4,epochs=50],arad")
    ['gan[branches=4,epochs=50]', 'arad']
    """
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def parse_spec(text: str) -> tuple[str, dict[str, Value]]:
    """Read ``name`` or ``name[key=value,key=value]``.

    Raises
    ------
    UsageError
        If the text is neither, or says a key twice.

    Examples
    --------
    >>> parse_spec("gan[branches=4, preset=quick]")
    ('gan', {'branches': '4', 'preset': 'quick'})
    """
    match = _SPEC.fullmatch(text)
    if match is None:
        raise UsageError(f"cannot read {_short(text)}; write name or name[key=value,key=value]")
    given: dict[str, Value] = {}
    for item in (match["inside"] or "").split(","):
        if not item.strip():
            continue
        key, equals, value = (part.strip() for part in item.partition("="))
        if not (key and equals and value):
            raise UsageError(f"cannot read {_short(item.strip())} in {_short(text)}; write key=value")
        if key in given:
            raise UsageError(f"{_short(text)} says {_short(key)} twice")
        given[key] = value
    return match["name"], given


def _short(text: str) -> str:
    return repr(text) if len(text) <= _LONGEST else f"{text[:_LONGEST]!r}.. ({len(text):,} letters)"


def slug(name: str, settings: Settings) -> str:
    """Name a configured method in paths: its name and 8 hex digits of its resolved parameters."""
    canonical = json.dumps(dict(settings), sort_keys=True)
    return f"{name}-{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"
