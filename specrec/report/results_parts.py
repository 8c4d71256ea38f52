"""What a results page says beside its pictures, as plain values: table, scores per image, methods, settings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from specrec.bench.results import Results
from specrec.bench.statistics import Comparison
from specrec.cells.columns import column
from specrec.errors import SpecrecError
from specrec.registry import registry

_DOI = re.compile(r"\b(?:doi:|arXiv:)\s*[^\s,;)]+", re.IGNORECASE)


def metric_facts(names: Sequence[str]) -> list[dict[str, Any]]:
    """Say what each column means; a metric of a plugin that is gone has a name alone."""
    facts = []
    for name in names:
        fact: dict[str, Any] = {"name": name, "unit": "", "higher": False, "definition": ""}
        try:
            metric = column(name)
        except SpecrecError:
            facts.append(fact)
            continue
        facts.append(fact | {"unit": metric.unit, "higher": metric.higher_is_better, "definition": metric.definition})
    return facts


def table_rows(results: Results) -> list[dict[str, Any]]:
    """Give the rows of the table."""
    return [
        {
            "method": row.method,
            "slug": row.slug,
            "part": row.part,
            "kind": "method" if row.slug else "ceiling" if row.diagnostic else "reported" if row.numbers else "missing",
            "numbers": {name: [_plain(number.mean), _plain(number.spread)] for name, number in row.numbers.items()},
            "note": row.note,
        }
        for row in results.rows
    ]


def comparison_facts(comparisons: Mapping[tuple[str, str], Comparison]) -> dict[str, dict[str, dict[str, Any]]]:
    """Give what is known of the methods' distances to the best, by part and metric."""
    facts: dict[str, dict[str, dict[str, Any]]] = {}
    for (part, metric), found in comparisons.items():
        facts.setdefault(part, {})[metric] = {
            "best": found.best,
            "scenes": found.scenes,
            "decidable": found.decidable,
            "standing": {
                slug: found.standing(slug) for slug in (found.best_slug, *(d.slug for d in found.differences))
            },
            "left_out": found.left_out,
            "differences": [
                {key: _plain(value) if isinstance(value, float) else value for key, value in asdict(one).items()}
                for one in found.differences
            ],
        }
    return facts


def scores_of_images(results: Results) -> list[dict[str, Any]]:
    """Give every image's score by every metric and method: the mean over runs, in the order of the folds."""
    found: dict[tuple[str, int], dict[str, dict[str, list[float]]]] = {}
    pixels: dict[tuple[str, int], int] = {}
    for (slug, fold, _), record in results.records.items():
        for image in record.get("images", []):
            key = image["scene"], fold
            pixels[key] = image["valid_pixels"]
            mine = found.setdefault(key, {}).setdefault(slug, {})
            for name in results.metrics:
                score = image["scores"].get(name)
                if score is not None and float(score[1]) > 0.0:
                    mine.setdefault(name, []).append(float(score[0]))
    return [
        {
            "scene": scene,
            "fold": fold,
            "pixels": pixels[scene, fold],
            "scores": {
                slug: {name: _plain(float(np.mean(values))) for name, values in mine.items()}
                for slug, mine in methods.items()
            },
        }
        for (scene, fold), methods in sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))
    ]


def method_cards(results: Results) -> list[dict[str, Any]]:
    """Describe every method of the folder, from its records and, where it is installed, from itself."""
    offers = registry().reconstructors
    cards = []
    for slug, written in results.manifest.methods.items():
        records = [record for (mine, _, _), record in results.records.items() if mine == slug]
        done = [record for record in records if record["status"] == "done"]
        name = records[0]["method"] if records else re.split(r"[\[]", written)[0]
        offer = offers.get(name)
        reference = offer.value.reference if offer is not None else ""
        link = _DOI.search(reference)
        cards.append(
            {
                "written": written,
                "slug": slug,
                "name": name,
                "summary": offer.value.summary if offer is not None else "not installed now; what follows was recorded",
                "reference": reference,
                "link": _address(link.group()) if link else "",
                "settings": {key: str(value) for key, value in (records[0]["settings"] if records else {}).items()},
                "facts": _costs(done),
                "versions": records[0]["versions"] if records else {},
                "broken": sorted({words for record in done for words in _broken(record)}),
            }
        )
    return cards


def _address(text: str) -> str:
    kind, _, rest = text.partition(":")
    return f"https://doi.org/{rest.strip()}" if kind.lower() == "doi" else f"https://arxiv.org/abs/{rest.strip()}"


def _broken(record: dict[str, Any]) -> list[str]:
    return [f"{name}: {words}" for name, words in record["broken_metrics"].items()]


def _costs(done: Sequence[dict[str, Any]]) -> dict[str, str]:
    if not done:
        return {}
    field = done[0]["receptive_field"]
    megapixels = sum(record["megapixels"] for record in done)
    spent = sum(record["reconstruct_seconds"] for record in done)
    peak = [record["peak_memory_bytes"] for record in done if record["peak_memory_bytes"]]
    facts = {
        "learnt numbers": "not known" if done[0]["parameter_count"] is None else f"{done[0]['parameter_count']:,}",
        "receptive field": "the whole image" if field is None else "1 pixel" if field == 1 else f"{field} x {field}",
        "input": "8-bit sRGB" if done[0]["input"] == "srgb8" else "linear",
        "training": f"{np.mean([record['fit_seconds'] for record in done]):.3g} s per fold",
        "reconstruction": f"{spent / megapixels:.3g} s per megapixel" if megapixels else "",
        "peak memory": f"{max(peak) / 2**20:,.0f} MiB" if peak else "",
        "device": ", ".join(sorted({record["device"] for record in done})),
    }
    return {key: value for key, value in facts.items() if value}


def settings_of_run(results: Results) -> dict[str, Any]:
    """Give the settings of the run and of its data, in words."""
    manifest = results.manifest
    settings = {key: _words(value) for key, value in manifest.settings.items()}
    versions = sorted({f"{key} {value}" for record in results.records.values() for key, value in _common(record)})
    return {
        "protocol": {**settings, "rendering": manifest.rendering},
        "versions": versions,
        "folds": [{"test": fold["test"], "train": fold["train"]} for fold in manifest.folds],
        "unused": [
            f"{name} ({manifest.reasons[name]})" if name in manifest.reasons else name for name in manifest.unused
        ],
        "scenes": {
            name: {key: _fact(value) for key, value in facts.items() if key != "files"}
            for name, facts in manifest.scenes.items()
        },
    }


def _common(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(key, value) for key, value in record["versions"].items() if key != "plugin"]


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_words(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_words(one) for one in value) or "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value) if value not in ("", None) else "none"


def _fact(value: Any) -> float | str | None:
    return _plain(value) if isinstance(value, int | float) and not isinstance(value, bool) else _words(value)


def _plain(value: float | None) -> float | str | None:
    """What JSON can hold: infinity, the PSNR of a perfect estimate, is a text there; NaN is nothing."""
    return None if value is None or np.isnan(value) else value if np.isfinite(value) else str(value)
