"""How far a ranking holds: errors under each condition beside the clean ones, and which method is best there."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specrec.bench.scores import parts, scene_scores, shown_part
from specrec.bench.tables import short
from specrec.cells.columns import BACK, FLOOR, UNCLIPPED, shown
from specrec.robustness.conditions import condition

if TYPE_CHECKING:
    from specrec.bench.results import Results

CLEAN = "rmse"


@dataclass(frozen=True)
class Line:
    """One condition, over all methods that have every number of it.

    Parameters
    ----------
    condition
        Its name; empty: the clean photo.
    errors
        By slug, in 8-bit levels.
    same
        By slug, the clean error on the same pixels of the same scenes; empty where there is nothing alike.
    tau
        Kendall's rank correlation of `errors` with the clean errors: 1 for the same order, -1 for the reverse; NaN
        where there are less than two methods, of the clean photo, and of ``back-projection``, which is not compared.
    """

    condition: str
    errors: dict[str, float]
    same: dict[str, float]
    tau: float = math.nan

    @property
    def best(self) -> str:
        """The slug of the least error; empty where there is none."""
        return min(self.errors, key=lambda slug: self.errors[slug]) if self.errors else ""

    @property
    def order(self) -> list[str]:
        """Slugs from the least error to the largest."""
        return sorted(self.errors, key=lambda slug: self.errors[slug])

    def times(self, slug: str) -> float:
        """How many times the clean error on the same pixels it is; NaN where that is not known."""
        same = self.same.get(slug, 0.0)
        return self.errors[slug] / same if slug in self.errors and same > 0.0 else math.nan


def lines(results: "Results") -> list[Line]:
    """List the clean photo and then every condition of a protocol; empty where it has none."""
    if not results.manifest.settings["robustness"]:
        return []
    clean = _errors(results, CLEAN)
    found = [Line("", clean, {})]
    for text in results.manifest.settings["robustness"]:
        what = condition(text)
        same = clean
        if what.kind == "exposure":
            same = _errors(results, f"{CLEAN}@{UNCLIPPED}={what.number:g}")
        elif what.kind in ("back-projection", "cross-data"):  # another unit, other scenes
            same = {}
        errors = _errors(results, shown(text))
        tau = math.nan if shown(text) == BACK else _tau(clean, errors)
        found.append(Line(text, errors, same, tau))
    return found


def floor(results: "Results") -> float:
    """The mean over scenes of half the distance of the two spectra that render alike; NaN where it is not known."""
    return next(iter(_errors(results, FLOOR).values()), math.nan)


def left_out(results: "Results", factor: float) -> float:
    """The share of the pixels that an exposure clips; NaN where it is not known."""
    whole, rest = (_pixels(results, name) for name in (CLEAN, f"{CLEAN}@{UNCLIPPED}={factor:g}"))
    return 1.0 - rest / whole if whole else math.nan


def as_markdown(results: "Results") -> str:
    """Write conditions in rows and methods in columns."""
    found = lines(results)
    slugs = list(results.manifest.methods)
    names = ["`" + results.manifest.methods[slug].replace("|", r"\|") + "`" for slug in slugs]
    head = ["condition", *names, "order", "tau"]
    text = [
        f"RMSE in 8-bit levels ({shown_part(results)}); in brackets: times the method's clean error on the same"
        " pixels. Bold: the least of its row.",
        "",
        "| " + " | ".join(head) + " |",
        "|---|" + "---:|" * len(slugs) + "---|---:|",
    ]
    for line in found:
        cells = [_cell(line, slug) for slug in slugs]
        row = [line.condition or "clean", *cells, order_words(results, found[0], line), _short_tau(line.tau)]
        text.append("| " + " | ".join(row) + " |")
    return "\n".join([*text, "", *footnotes(results)]) + "\n"


def as_csv(results: "Results") -> str:
    """Write one line for each condition and method, with full precision."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["condition", "column", "method", "slug", "error", "clean_on_same_pixels", "times_clean", "rank", "clean_rank",
         "kendall_tau"]
    )  # fmt: skip
    found = lines(results)
    for line in found:
        name = shown(line.condition) if line.condition else CLEAN
        for slug, error in line.errors.items():
            numbers = [error, line.same.get(slug, math.nan), line.times(slug)]
            ranks = [str(one.order.index(slug) + 1) if slug in one.errors else "" for one in (line, found[0])]
            plain = ["" if math.isnan(value) else repr(value) for value in numbers]
            written = results.manifest.methods[slug]
            tau = "" if math.isnan(line.tau) else repr(line.tau)
            writer.writerow([line.condition or "clean", name, written, slug, *plain, *ranks, tau])
    return out.getvalue()


def footnotes(results: "Results") -> list[str]:
    """Say where the order of the methods is another one than the clean one, and what a reader must know of a column."""
    found = lines(results)
    if not found:
        return []
    notes = _about_order(results, found[0], found[1:])
    clipped = [what.number for line in found[1:] if (what := condition(line.condition)).kind == "exposure"]
    shares = [(factor, left_out(results, factor)) for factor in clipped if factor > 1.0]
    known = [f"{factor:g}: {share:.1%}" for factor, share in shares if not math.isnan(share)]
    if clipped:
        lost = f" ({'; '.join(known)} of the pixels)" if known else ""
        notes.append(
            f"exposure=k: the estimate of the photo exposed k times, divided by k; what that clips is left out{lost}."
        )
    if not math.isnan(half := floor(results)):
        notes.append(
            f"metamer-pair: the mean error against two spectra that render alike; no answer has less than {half:.3f}."
        )
    if any(shown(line.condition) == BACK for line in found):
        notes.append(
            "back-projection: in 8-bit levels of sRGB, not of spectra: the estimate is rendered and held against the"
            " photo. It has another unit, and is not compared."
        )
    if results.manifest.cross_scenes:
        count = len(results.manifest.cross_scenes)
        notes.append(
            f"cross-data: {count} scenes of {results.manifest.settings['cross']}, on which nothing is trained."
        )
    return notes


def _about_order(results: "Results", clean: Line, others: Sequence[Line]) -> list[str]:
    compared = [line for line in others if not math.isnan(line.tau)]
    if len(clean.errors) < 2 or not compared:
        return []
    methods = results.manifest.methods
    same = [line.condition for line in compared if _same_order(clean, line)]
    best = [f"{line.condition} ({_who(results, line, clean.best)})" for line in compared if line.best != clean.best]
    rest = [line.condition for line in compared if not _same_order(clean, line) and line.best == clean.best]
    aside = ", back-projection aside," * any(shown(line.condition) == BACK for line in others)
    notes = [f"Under {len(same)} of {len(compared)} conditions{aside} the methods have the order of the clean column."]
    if best:
        notes.append(f"Another method than {methods[clean.best]} is best under {', '.join(best)}.")
    if rest:
        notes.append(f"{methods[clean.best]} stays best and others change places under {', '.join(rest)}.")
    return notes


def _same_order(one: Line, other: Line) -> bool:
    """Whether the methods that both have stand in one order."""
    first, second = ([slug for slug in a.order if slug in b.errors] for a, b in ((one, other), (other, one)))
    return first == second


def _who(results: "Results", line: Line, slug: str) -> str:
    """Name the best method of a condition, and say whether the test scenes tell it from the one that was the best."""
    name = results.manifest.methods[line.best]
    comparison = results.comparisons.get((shown_part(results), shown(line.condition)))
    standing = comparison.standing(slug) if comparison is not None else ""
    return f"{name}, not told apart" if standing == "tied" else name


def order_words(results: "Results", clean: Line, line: Line) -> str:
    """Say whether the methods have the order of the clean photo; empty where that is no question."""
    if not line.condition or shown(line.condition) == BACK or len(clean.errors) < 2:
        return ""
    if line.best != clean.best and line.best:
        return f"best: {_who(results, line, clean.best)}"
    return "the same" if _same_order(clean, line) else "others change places"


def _cell(line: Line, slug: str) -> str:
    if slug not in line.errors:
        return "-"
    text = short(line.errors[slug])
    times = line.times(slug)
    marked = f"**{text}**" if slug == line.best and shown(line.condition) != BACK else text
    return marked if math.isnan(times) or not line.condition else f"{marked} ({times:.2f})"


def _short_tau(tau: float) -> str:
    return "" if math.isnan(tau) else f"{tau:.2f}"


def _errors(results: "Results", metric: str) -> dict[str, float]:
    """By slug the number of a column, of the methods that have it; one that is no number is left out."""
    folds = dict(parts(results.manifest))[shown_part(results)]
    found = {}
    for slug in results.manifest.methods:
        scores = scene_scores(results.records, slug, results.manifest, folds, metric)
        if scores is not None and math.isfinite(number := scores.number):
            found[slug] = number
    return found


def _pixels(results: "Results", metric: str) -> float:
    folds = dict(parts(results.manifest))[shown_part(results)]
    for slug in results.manifest.methods:
        scores = scene_scores(results.records, slug, results.manifest, folds, metric)
        if scores is not None:
            return float(scores.weights[0].sum())
    return 0.0


def _tau(clean: dict[str, float], errors: dict[str, float]) -> float:
    both = [slug for slug in clean if slug in errors]
    if len(both) < 2:
        return math.nan
    from scipy.stats import kendalltau

    return float(kendalltau([clean[slug] for slug in both], [errors[slug] for slug in both]).statistic)
