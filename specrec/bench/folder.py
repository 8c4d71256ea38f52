"""The folder of the results: whose it is, and what is removed from it when it is started anew."""

import shutil
from dataclasses import asdict

from specrec.bench import manifest
from specrec.bench.plan import Plan
from specrec.datasets.survey import Survey
from specrec.errors import SpecrecError, UsageError

_PARTS = ("cells", "cubes", "checkpoints")


def claim_folder(plan: Plan, facts: Survey, *, overwrite: bool) -> None:
    """Write the manifest, where nothing else has one in this folder."""
    scenes = {name: asdict(facts.facts[name]) for name in plan.split.used}
    described = manifest.make_manifest(plan.protocol, plan.split, scenes)
    if overwrite:
        _forget(plan, described)
    agreed = manifest.agree(plan.folder, described)
    agreed.methods.update({slug: written for slug, (written, _) in plan.methods.items()})
    agreed.unusable.update(plan.unusable)
    for written in agreed.methods.values():
        agreed.unusable.pop(written, None)  # its own rows say more, computed now or before
    manifest.write_manifest(plan.folder, agreed)


def _forget(plan: Plan, described: manifest.Manifest) -> None:
    """Make room for computing again: remove the cells of these methods, or everything where the rest differs."""
    for part in _PARTS:
        if (plan.folder / part).is_symlink():
            raise UsageError(
                f"{plan.folder / part} leads to another folder, from which nothing is removed; remove the link"
            )
    try:
        manifest.agree(plan.folder, described)
        gone = list(plan.methods)
    except SpecrecError:
        gone = ["*"]
        (plan.folder / "manifest.json").unlink(missing_ok=True)
        shutil.rmtree(plan.folder / "looks", ignore_errors=True)
    shutil.rmtree(plan.folder / "ceiling", ignore_errors=True)
    for part in _PARTS:
        for old in (found for name in gone for found in (plan.folder / part).glob(name)):
            shutil.rmtree(old)
