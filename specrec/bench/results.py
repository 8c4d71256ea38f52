"""A results folder as rows: a pure reading of its cell files."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from specrec.bench import robustness, separate, tables
from specrec.bench.ceiling import row as ceiling
from specrec.bench.manifest import Manifest, read_manifest
from specrec.bench.origins import of_other_origin, of_several_codes
from specrec.bench.rows import TRAINING, Number, Row
from specrec.bench.scores import images_of, parts, weighted
from specrec.bench.statistics import Comparison, compare_all
from specrec.cells import records as cell_records
from specrec.cells.answers import ANSWERS
from specrec.cells.ceiling import COLUMNS, Ceiling
from specrec.cells.cell import cell_name
from specrec.cells.columns import CROSS, check_column
from specrec.cells.shared_parts import Known, shared
from specrec.parameters import parse_spec


@dataclass(frozen=True)
class Results:
    """What a bench found.

    Parameters
    ----------
    folder
        Where it is stored.
    manifest
        Settings, folds and data.
    metrics
        Columns, by id.
    rows
        Of the table; failed cells have a note.
    records
        The cells as read, by slug, fold and run; what is the same in several of them is one object, so that they are to
        be read and not to be changed.
    failed
        What failed in the start that gave these results, in a few words each.
    ceilings
        By test scene, where the protocol has a ceiling.
    """

    folder: Path
    manifest: Manifest
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    records: dict[tuple[str, int, int], dict[str, Any]] = field(repr=False)
    failed: tuple[str, ...] = ()
    ceilings: dict[str, Ceiling] = field(default_factory=dict, repr=False)

    def value(self, method: str, metric: str = "rmse", part: str = "weighted") -> float:
        """Look one number of the table up; KeyError if it is not there."""
        for row in self.rows:
            if row.method == method and row.part == part and metric in row.numbers:
                return row.numbers[metric].mean
        raise KeyError((method, metric, part))

    @property
    def failures(self) -> tuple[str, ...]:
        """What failed of all that the table shows, in this start or in an earlier one."""
        found = [
            f"{cell_name(record['written'], record['fold'], record['run'])}: {record['reason']}"
            for record in self.records.values()
            if record["status"] == "failed"
        ]
        return (*sorted(found), *(f"{written}: {reason}" for written, reason in self.manifest.unusable.items()))

    @property
    def troubles(self) -> tuple[str, ...]:
        """What a plugin could not give in cells that are done: a metric of the table, or what a method says of itself.

        Such a metric is a dash in the row of the method.
        """
        found: dict[str, list[str]] = {}
        for record in self.records.values():
            if record["status"] == "done":
                name = cell_name(record["written"], record["fold"], record["run"])
                for what, reason in record.get("broken_metrics", {}).items():
                    if what in self.metrics or what in ANSWERS:
                        found.setdefault(f"{what}: {reason}", []).append(name)
        return tuple(
            f"{words} ({names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''})"
            for words, names in found.items()
        )

    @cached_property
    def comparisons(self) -> dict[tuple[str, str], Comparison]:
        """Every method against the best one, by part and metric of the table."""
        return compare_all(self)

    def table(self, form: str = "table") -> str:
        """Write the table as ``table`` (plain text), ``md``, ``csv``, ``tex`` or ``json``."""
        return tables.write(form, self._table())

    def footnotes(self) -> list[str]:
        """Explain the table in sentences, as those below the form ``tex`` do."""
        return tables.tex_footnotes(self._table())

    def _table(self) -> tables.Table:
        notes = separate.footnotes(self.manifest, self.records) + ceiling.footnotes(self.ceilings, self.metrics)
        notes += robustness.footnotes(self)
        notes += [f"Not known: {words}." for words in self.troubles]
        others = of_other_origin(self.manifest, self.records)
        notes += [f"{words}." for words in others.values()] + of_several_codes(self.metrics, self.records)
        return tables.Table(self.rows, self.metrics, self.manifest, notes, self.comparisons, others)

    def __str__(self) -> str:
        return self.table()


def read_results(folder: Path, metrics: Sequence[str] | None = None) -> Results:
    """Read a results folder.

    Parameters
    ----------
    folder
        Written by a bench.
    metrics
        Columns; None: those of the protocol.

    Raises
    ------
    SpecrecError
        If it is no results folder.
    UsageError
        If one of `metrics` is unknown, or needs a ceiling that is not there.
    """
    manifest = read_manifest(folder)
    if metrics:
        for metric in metrics:
            settings = manifest.settings
            check_column(metric, ceiling=settings["ceiling"] > 0, robustness=settings["robustness"])
    columns = tuple(metrics or manifest.settings["metrics"])
    ceilings = ceiling.read_all(folder, manifest)
    records = {}
    known: Known = {}
    rows = list(_reported(manifest.settings["reported"], columns))
    for slug, written in manifest.methods.items():
        mine = {}
        for path in sorted((folder / "cells" / slug).glob("fold*-run*.json")):
            record = cell_records.read(path)
            if record is not None:
                cell_records.check_place(record, path)
                mine[record["fold"], record["run"]] = shared(record, known)
        records.update({(slug, *key): record for key, record in mine.items()})
        rows.extend(_rows(written, slug, mine, manifest, columns))
    for written, reason in manifest.unusable.items():
        rows.append(Row(written, parse_spec(written)[0], "", note=f"failed: {reason}"))
    rows.extend(_of_ceiling(ceilings, manifest, columns))
    return Results(folder, manifest, columns, tuple(rows), records, ceilings=ceilings)


def _rows(
    written: str, slug: str, mine: dict[tuple[int, int], dict[str, Any]], manifest: Manifest, columns: Sequence[str]
) -> Iterable[Row]:
    runs = range(manifest.settings["runs"])
    shown = [(part, folds, "images") for part, folds in parts(manifest)]
    if manifest.settings["score_training"]:
        shown += [(part + TRAINING, wanted, "training_images") for part, wanted, _ in shown]
    for part, wanted, images in shown:
        cells_of_part = [[mine.get((fold, run)) for fold in wanted] for run in runs]
        notes = {_note(record) for group in cells_of_part for record in group} - {""}
        if notes:
            yield Row(written, slug, part, note="; ".join(sorted(notes)))
            continue
        complete = [[record for record in group if record is not None] for group in cells_of_part]
        numbers = {}
        for metric in columns:
            values = [_weighted(_images(group, metric, images), metric) for group in complete]
            known = [value for value in values if value is not None]
            if len(known) == len(values):
                spread = float(np.std(known, ddof=1)) if len(known) > 1 else None
                numbers[metric] = Number(float(np.mean(known)), spread)
        yield Row(written, slug, part, numbers)


def _of_ceiling(ceilings: Mapping[str, Ceiling], manifest: Manifest, columns: Sequence[str]) -> Iterable[Row]:
    wanted = [metric for metric in columns if metric in COLUMNS]
    if not ceilings or not wanted:
        return
    for part, folds in parts(manifest):
        images = [ceiling.as_image(ceilings[name]) for name in ceiling.scenes_of(manifest, folds)]
        values = {metric: _weighted(images, metric) for metric in wanted}
        numbers = {metric: Number(value) for metric, value in values.items() if value is not None}
        yield Row(ceiling.NAME, "", part, numbers, diagnostic=True)


def _note(record: dict[str, Any] | None) -> str:
    if record is None:
        return "not computed yet"
    return f"failed: {record['reason']}" if record["status"] == "failed" else ""


def _images(records: Iterable[dict[str, Any]], metric: str, images: str) -> list[Mapping[str, Any]]:
    """List the images that a column is about; those of another data set are no training images."""
    if not metric.endswith(CROSS):
        return [image for record in records for image in record[images]]
    return [image for record in records for image in images_of(record, metric)] if images == "images" else []


def _weighted(images: Sequence[Mapping[str, Any]], metric: str) -> float | None:
    """Mean over all images of some folds, each with its weight: folds count by their valid pixels."""
    scores = [image["scores"].get(metric) for image in images]
    if not scores or any(score is None for score in scores):
        return None
    values = np.array([float(score[0]) for score in scores])
    weights = np.array([float(score[1]) for score in scores])
    return weighted(values, weights) if (weights > 0).any() else None


def _reported(name: str, columns: Sequence[str]) -> Iterable[Row]:
    if not name:
        return
    text = (files("specrec.bench") / "reported" / f"{name}.toml").read_text("utf-8")
    table = tomllib.loads(text)
    for row in table["rows"]:
        numbers = {metric: Number(*row[metric]) for metric in columns if metric in row}
        yield Row(row["method"], "", row["part"], numbers, f"reported: {table['source']}", row.get("beside", ""))
