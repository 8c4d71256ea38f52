"""Whether another machine has the same of a plugin: who brings it, in which version, and with which code.

What travels is an identity: plain values with the keys ``from``, such as ``mine 1.0``, and ``code``, hashes by module.
"""

from collections.abc import Mapping
from typing import Any

from specrec.interfaces import Metric
from specrec.registry.code import code_now, code_of
from specrec.registry.offers import Offer


def identity(offer: Offer[Any], *, now: bool = False) -> dict[str, Any]:
    """Say who brings what is offered here, and with which code.

    Parameters
    ----------
    offer
        A method, a metric or a data set.
    now
        Read the code once more, for a process that lives long and starts others.
    """
    thing = offer.value.function if isinstance(offer.value, Metric) else offer.value
    read = code_now if now else code_of
    return {"from": f"{offer.distribution} {offer.version}", "code": read(thing, offer.distribution)}


def unlike(what: str, theirs: Mapping[str, Any], mine: Mapping[str, Any] | None, whose: str) -> str | None:
    """Say how a machine differs, to stand behind its name; None: it does not.

    Parameters
    ----------
    what
        Such as ``"the method mean"``.
    theirs
        The identity it must have.
    mine
        That it has; None: it lacks it.
    whose
        Who else has it, such as ``"the bench"``.

    Examples
    --------
    >>> old, new = ({"from": "mine 1.0", "code": {"my_module": digest}} for digest in ("0" * 64, "1" * 64))
    >>> print(unlike("the method m", old, new, "the bench"))
    has other code of my_module for the method m than the bench, under the same version (mine 1.0); install the same \
there and start the worker again
    >>> unlike("the method m", old, old, "the bench")
    """
    if mine is None:
        return f"lacks {what}; install {theirs['from']} there"
    if mine["from"] != theirs["from"]:
        return f"has {mine['from']} for {what}, and {whose} {theirs['from']}; install the same there"
    if mine["code"] != theirs["code"]:
        both = {**mine["code"], **theirs["code"]}
        others = sorted(name for name in both if mine["code"].get(name) != theirs["code"].get(name))
        return (
            f"has other code of {', '.join(others)} for {what} than {whose}, under the same version ({mine['from']});"
            " install the same there and start the worker again"
        )
    return None
