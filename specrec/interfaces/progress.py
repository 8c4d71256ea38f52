"""How long work says how far it is."""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called now and then with the fraction done, 0 to 1, and a few words such as a loss."""


def silent(_fraction: float, _words: str) -> None:
    """Report progress to nobody."""
