"""The folder of the results: whose it is, what is marked to be replaced in it, and how it is started anew."""

import re
import secrets
import shutil
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from specrec.bench import manifest
from specrec.bench.data import Data
from specrec.bench.overwriting import Overwrite, Overwriting
from specrec.bench.plan import Plan
from specrec.cache import check_writable
from specrec.cells.key import installed
from specrec.errors import SpecrecError

_GONE = ".gone-"
"""Begins the name of what is being removed."""
_TEMPORARY = re.compile(r"\..*-[0-9a-f]{8}(\..+)?")
"""Names of files that `specrec.cache.written_whole` has begun."""


class Claim(NamedTuple):
    """A results folder that was claimed."""

    marked: Overwriting
    """What of its cells is to be replaced."""
    notes: list[str]
    """What the user should know."""


def claim_folder(plan: Plan, data: Data, overwrite: Overwrite) -> Claim:
    """Write the manifest, where nothing else has one in this folder.

    With ``all`` a folder of something else is started anew, and in one of the same all cells of the methods are marked.
    The caller holds the lock.

    Raises
    ------
    UsageError
        If the folder holds results of something else.
    SpecrecError
        If it cannot be written.
    """
    scenes = {name: asdict(data.facts.facts[name]) for name in plan.split.used}
    reasons = {name: f"damaged: {words}" for name, words in data.facts.damaged.items()}
    reasons |= {name: f"the same content as {kept}" for name, kept in data.copies.items()}
    cross = {name: asdict(one) for name, one in data.others.facts.items()}
    described = manifest.make_manifest(plan.protocol, plan.split, scenes, reasons, cross)
    check_writable(plan.folder)
    _clear(plan.folder)
    if overwrite == "all":
        _start_anew_if_other(plan.folder, described)
    agreed = manifest.agree(plan.folder, described)
    notes = manifest.rewritten_files(plan.folder, described)
    agreed.methods.update({slug: written for slug, (written, _) in plan.methods.items()})
    agreed.installed.update({slug: installed(method.name) for slug, (_, method) in plan.methods.items()})
    agreed.unusable.update(plan.unusable)
    for written in agreed.methods.values():
        agreed.unusable.pop(written, None)  # its own rows say more, computed now or before
    manifest.write_manifest(plan.folder, agreed)
    marked = Overwriting(plan.folder)
    marked.choose(overwrite, plan.methods)
    return Claim(marked, notes)


def _clear(folder: Path) -> None:
    """Remove what a bench that was killed had begun to write, or to remove, beside the cells."""
    for left in (*folder.glob(".*"), *(folder / "ceiling").glob(".*")):
        if left.name.startswith(_GONE):
            shutil.rmtree(left, ignore_errors=True)
        elif _TEMPORARY.fullmatch(left.name):
            with suppress(OSError):  # nothing can be removed where nothing can be written
                left.unlink()


def _start_anew_if_other(folder: Path, described: manifest.Manifest) -> None:
    """Remove what other settings have given; wherever it is stopped, no cell is left that could pass for a new one."""
    with suppress(SpecrecError):
        manifest.agree(folder, described)
        return
    gone = folder / f"{_GONE}{secrets.token_hex(4)}"
    try:
        gone.mkdir()
        for part in ("cells", "overwriting.json", "cubes", "checkpoints", "looks", "ceiling", "manifest.json"):
            with suppress(FileNotFoundError):
                (folder / part).rename(gone / part)  # at once, however much it is
        shutil.rmtree(gone)
    except OSError as error:
        raise SpecrecError(f"cannot remove {error.filename or folder}: {error.strerror}") from None
