"""colour-science, imported where its data are read: it takes seconds, and warns of packages that nobody needs here."""

import warnings
from typing import Any


def colour_science() -> Any:
    """Return the package ``colour``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import colour
        import colour.characterisation
    return colour
