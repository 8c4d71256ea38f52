"""The version of what plugins build upon, and whether this one serves a plugin that asks for another."""

import re

from specrec.errors import plain_line

INTERFACE_VERSION = "1.1"
"""MAJOR.MINOR of everything public: a minor one only adds, a major one may change or remove. It is not the version of
the package. A plugin says what it needs in a module attribute ``SPECREC_INTERFACE = "1.0"``."""


def unserved(needed: object, offered: str = INTERFACE_VERSION) -> str | None:
    """Say why an interface does not serve a plugin that needs `needed`; None where it does.

    Examples
    --------
    >>> unserved("1.0") is None
    True
    >>> unserved("1.7", offered="1.2")
    'it needs version 1.7 of the interface, and this specrec has 1.2; upgrade specrec'
    >>> unserved("1.2", offered="2.0")
    'it needs version 1.2 of the interface, and this specrec has 2.0; upgrade the plugin, or use an older specrec'
    >>> unserved(1.5)
    'its SPECREC_INTERFACE is a word such as "1.1", not 1.5'
    """
    match = re.fullmatch(r"([0-9]{1,6})\.([0-9]{1,6})", needed, re.ASCII) if isinstance(needed, str) else None
    if match is None:
        return f'its SPECREC_INTERFACE is a word such as "{offered}", not {plain_line(repr(needed), 80)}'
    wanted = int(match[1]), int(match[2])
    major, minor = map(int, offered.split("."))
    if wanted[0] == major and wanted[1] <= minor:
        return None
    way_out = "upgrade specrec" if wanted > (major, minor) else "upgrade the plugin, or use an older specrec"
    return f"it needs version {needed} of the interface, and this specrec has {offered}; {way_out}"
