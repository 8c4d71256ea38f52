"""What of a table was computed by something else than the rest: older versions, or other code."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from specrec.bench.manifest import Manifest
from specrec.cells.key import differences

UNKNOWN = "a specrec before 0.6, and their records do not say by what"


def of_other_origin(manifest: Manifest, records: Mapping[tuple[str, int, int], Mapping[str, Any]]) -> dict[str, str]:
    """Say of each method, by its slug, which cells something else has computed than what the last bench had installed.

    Methods of which all cells are of one origin, and folders that do not say what was installed, have no entry.
    """
    counts: dict[str, Counter[str]] = {}
    totals = Counter(slug for slug, _, _ in records)
    for (slug, _, _), record in records.items():
        now = manifest.installed.get(slug)
        if now is None or record["status"] != "done":
            continue
        words = ", ".join(map(str, differences(record["decided_by"], now))) if "decided_by" in record else UNKNOWN
        if words:
            counts.setdefault(slug, Counter())[words] += 1
    return {
        slug: "; ".join(
            f"{count} of {totals[slug]} cells of {manifest.methods[slug]}"
            f" {'was' if count == 1 else 'were'} computed with {words}"
            for words, count in found.items()
        )
        for slug, found in counts.items()
    }


def of_several_codes(metrics: Sequence[str], records: Mapping[tuple[str, int, int], Mapping[str, Any]]) -> list[str]:
    """Say of which metrics of third parties the cells hold numbers of several versions or codes."""
    notes = []
    for name in metrics:
        known = f"metric {name}"
        counts = Counter(
            (versions[known], json.dumps(record.get("metric_code", {}).get(name), sort_keys=True))
            for record in records.values()
            if record["status"] == "done" and known in (versions := record.get("versions", {}))
        )
        if len(counts) > 1:
            words = ", ".join(f"{count} by {version}" for (version, _), count in counts.items())
            notes.append(f"{name} was scored by {len(counts)} versions or codes ({words}): its numbers do not compare.")
    return notes
