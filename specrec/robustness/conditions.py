"""The names of the conditions under which a table is looked at again, such as ``jpeg=50``, and what they mean."""

from collections.abc import Callable
from dataclasses import dataclass

from specrec.errors import UsageError
from specrec.parameters import nearest
from specrec.robustness.camera import CAMERAS
from specrec.robustness.observer import OBSERVERS

STANDARD = (
    *(f"exposure={factor:g}" for factor in (0.25, 0.5, 2, 4)),
    *(f"jpeg={quality}" for quality in (95, 85, 70, 50)),
    *(f"noise={level:g}" for level in (0.01, 0.02, 0.04)),
    "observer=cie1931",
    "camera=nikon-5100",
    "metamer-pair",
    "back-projection",
    "cross-data",
)
"""Those of the protocol ``robustness``."""


@dataclass(frozen=True)
class Condition:
    """One condition.

    Parameters
    ----------
    kind
        ``exposure``, ``jpeg``, ``noise``, ``observer``, ``camera``, ``metamer-pair``, ``back-projection`` or
        ``cross-data``.
    number
        Of the first three: the factor, the quality, the standard deviation at white.
    name
        Of an observer or a camera.
    """

    kind: str
    number: float = 0.0
    name: str = ""

    def __str__(self) -> str:
        value = self.name or (f"{self.number:g}" if self.kind in _NUMBERS else "")
        return f"{self.kind}={value}" if value else self.kind

    @property
    def disturbs(self) -> bool:
        """Whether it gives the method another photo; the others look at the clean estimate, or at other scenes."""
        return self.kind in _NUMBERS or self.kind in _NAMES

    @property
    def words(self) -> str:
        """What is done to a photo, for the definition of a column."""
        return _WORDS[self.kind].format(number=f"{self.number:g}", name=self.name)


def condition(text: str) -> Condition:
    """Read the name of a condition.

    Raises
    ------
    UsageError
        If there is none of that name, or its value cannot be.

    Examples
    --------
    >>> condition("exposure=0.25").number
    0.25
    """
    kind, equals, value = text.partition("=")
    if kind not in _WORDS:
        raise UsageError(f"unknown condition {text!r}; {nearest(kind, _WORDS)}")
    if kind in _NAMES:
        if value not in _NAMES[kind]:
            raise UsageError(f"condition {text!r}: {nearest(value, _NAMES[kind])}")
        return Condition(kind, name=value)
    if kind not in _NUMBERS:
        if equals:
            raise UsageError(f"condition {text!r}: {kind} has no value")
        return Condition(kind)
    fits, wanted = _NUMBERS[kind]
    try:
        found = Condition(kind, float(value))
    except ValueError:
        found = Condition(kind, float("nan"))
    if not fits(found.number):
        raise UsageError(f"condition {text!r}: {kind} is {wanted}")
    if str(found) != text:  # else one column would have two names
        raise UsageError(f"condition {text!r}: write {found}")
    return found


_NUMBERS: dict[str, tuple[Callable[[float], bool], str]] = {
    "exposure": (lambda factor: 0.01 <= factor <= 100.0, "a factor from 0.01 to 100"),
    "jpeg": (lambda quality: 1 <= quality <= 100 and quality == int(quality), "a whole number from 1 to 100"),
    "noise": (lambda level: 1e-4 <= level <= 1.0, "a standard deviation at white from 0.0001 to 1"),
}
_NAMES = {"observer": OBSERVERS, "camera": CAMERAS}
_WORDS = {
    "exposure": "from the photo exposed {number} times, the estimate divided by {number}, where nothing clips",
    "jpeg": "from the photo as JPEG of quality {number}",
    "noise": "from the photo with sensor noise of standard deviation {number} at white",
    "observer": "from the photo by the observer {name}",
    "camera": "from the photo by the camera {name}",
    "metamer-pair": "mean of the errors against each of two spectra that render alike",
    "back-projection": "the estimate rendered again, against the photo",
    "cross-data": "on scenes of another data set than the one trained on",
}
