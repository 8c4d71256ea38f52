"""Any text as LaTeX that plain pdflatex sets: methods have brackets, metrics underscores, reasons anything."""

import unicodedata

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': "{''}",
    "`": "{}`{}",  # beside ? or another one it would become a sign of its own
    "'": "'{}",
    "-": "-{}",  # two of them would become a dash
    "[": "{[}",  # one that begins a row would be read as a length
    "]": "{]}",
    "*": "{*}",  # one that follows the end of a row would be read as an order
    "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "µ": r"$\mu$",
    "\N{GREEK SMALL LETTER MU}": r"$\mu$",
    "°": r"$^{\circ}$",
    "²": "$^{2}$",
    "\N{GREEK CAPITAL LETTER DELTA}": r"$\Delta$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "\N{EN DASH}": "--",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    **{letter: "\\" + letter for letter in "{}&%$#_"},
}
_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030a": "r", "\u0327": "c"}


def escape(text: str) -> str:
    r"""Write text so that LaTeX shows it as it is, in any font encoding; letters that it may lack as code points.

    Examples
    --------
    >>> escape("gan[a_b=50%]")
    'gan{[}a\\_b=50\\%{]}'
    >>> escape("Álvarez 光")
    "\\'{A}lvarez {[}U+5149{]}"
    """
    return "".join(_letter(letter) for letter in text)


def comment(text: str) -> str:
    """Write text as comment lines; nothing of it can leave the comment."""
    return "".join(f"% {line}\n" for line in text.splitlines() or [""])


def _letter(letter: str) -> str:
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    if letter.isspace():
        return " "
    if " " <= letter <= "~":
        return letter
    decomposed = unicodedata.normalize("NFD", letter)
    base, marks = decomposed[0], decomposed[1:]
    if base.isascii() and base.isalpha() and marks in _ACCENTS and base not in "ij":
        return f"\\{_ACCENTS[marks]}{{{base}}}"
    return f"{{[}}U+{ord(letter):04X}{{]}}"
