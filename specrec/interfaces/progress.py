"""How long work says how far it is."""

from collections.abc import Callable

from specrec.errors import plain_line

Progress = Callable[[float, str], None]
"""Called now and then with the fraction done, 0 to 1, and a few words such as a loss."""


def silent(_fraction: float, _words: str) -> None:
    """Report progress to nobody."""


def heeded(progress: Progress) -> Progress:
    """Take from a plugin what it tells, whatever that is: a fraction is brought into 0 to 1, words into one line.

    Examples
    --------
    >>> heeded(lambda done, words: print(done, repr(words)))(float("nan"), None)
    0.0 'None'
    """

    def tell(fraction: float, words: str = "") -> None:
        try:
            done = min(max(float(fraction), 0.0), 1.0)
            said = plain_line(str(words), 200)
        except Exception:  # it is of no account
            done, said = 0.0, ""
        progress(done if done == done else 0.0, said)

    return tell
