"""The folder of the results: whose it is, and what is removed from it when it is started anew."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict

from specrec.bench import manifest
from specrec.bench.plan import Plan
from specrec.cache import check_writable
from specrec.datasets.survey import Survey
from specrec.errors import SpecrecError


def claim_folder(plan: Plan, facts: Survey, copies: Mapping[str, str], *, overwrite: bool) -> list[str]:
    """Write the manifest, where nothing else has one in this folder, and say what the user should know.

    Raises
    ------
    UsageError
        If the folder holds results of something else.
    SpecrecError
        If it cannot be written.
    """
    scenes = {name: asdict(facts.facts[name]) for name in plan.split.used}
    reasons = {name: f"damaged: {words}" for name, words in facts.damaged.items()}
    reasons |= {name: f"the same content as {kept}" for name, kept in copies.items()}
    described = manifest.make_manifest(plan.protocol, plan.split, scenes, reasons)
    check_writable(plan.folder)
    if overwrite:
        _forget(plan, described)
    agreed = manifest.agree(plan.folder, described)
    notes = manifest.rewritten_files(plan.folder, described)
    agreed.methods.update({slug: written for slug, (written, _) in plan.methods.items()})
    agreed.unusable.update(plan.unusable)
    for written in agreed.methods.values():
        agreed.unusable.pop(written, None)  # its own rows say more, computed now or before
    manifest.write_manifest(plan.folder, agreed)
    return notes


def _forget(plan: Plan, described: manifest.Manifest) -> None:
    """Make room for computing again: remove the cells of these methods, or everything where the rest differs."""
    try:
        manifest.agree(plan.folder, described)
        gone = list(plan.methods)
    except SpecrecError:
        gone = ["*"]
        (plan.folder / "manifest.json").unlink(missing_ok=True)
        shutil.rmtree(plan.folder / "looks", ignore_errors=True)
    shutil.rmtree(plan.folder / "ceiling", ignore_errors=True)
    for part in ("cells", "cubes", "checkpoints"):
        for old in (found for name in gone for found in (plan.folder / part).glob(name)):
            try:
                shutil.rmtree(old)
            except OSError as error:
                raise SpecrecError(f"cannot remove {error.filename or old}: {error.strerror}") from None
