"""What a method promises of its state: saved to a file and loaded again, it gives the same cube."""

from pathlib import Path
from tempfile import TemporaryDirectory

from specrec.errors import DataError
from specrec.interfaces import Reconstructor
from specrec.spectra import WAVELENGTHS
from specrec.testing.checks import RAISED
from specrec.testing.methods.basics import STEADY
from specrec.testing.methods.declared import BUILDS
from specrec.testing.methods.subject import SEED, Subject, difference, said
from specrec.testing.promise import broken, promise
from specrec.weights import load_as, make_card, save

ROUNDING = 1e-6
"""What a cube may differ by after its method was saved and loaded."""


@promise("save and load give the same cube", BUILDS, STEADY)
def SAVES(subject: Subject) -> str:  # noqa: N802 - the decorator makes a constant of it
    """Through a weights file, in this process."""
    method = subject.fitted.method
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        try:
            write(subject, path)
        except RAISED as error:
            raise broken(
                f"the fitted method could not be saved ({said(error)})",
                "let state() return a dict of NumPy arrays of numbers, and a dict that JSON can hold",
            ) from error
        size = path.stat().st_size
        try:
            loaded = load_as(subject.method, path)
        except RAISED as error:
            what = error.__cause__ if isinstance(error, DataError) and error.__cause__ else error
            raise broken(
                f"what was saved could not be loaded ({said(what)})",
                "let from_state(settings, arrays, config) begin with cls(**settings) and read back what state() gave",
            ) from error
    if dict(loaded.settings) != dict(method.settings):
        raise broken("the loaded method has other settings", "begin from_state with method = cls(**settings)")
    apart = difference(subject.cube_of(subject.image, loaded, where=" by the loaded method"), subject.cube)
    if apart > ROUNDING:
        raise broken(
            f"the loaded method gives a cube {apart:.2g} away",
            "give in state() all that reconstruct uses, with all its digits, and read all of it back in from_state",
        )
    return f"parameters {method.parameter_count}, file {size / 1e3:.1f} kB"


def write(subject: Subject, path: Path) -> None:
    """Save the fitted method."""
    method: Reconstructor = subject.fitted.method
    save(method, path, make_card(method, wavelengths=WAVELENGTHS.tolist(), scenes=["first"], seed=SEED))


PROMISES = (SAVES,)
