"""The paper's Figure 3 for any bench: truth, estimate, and the spectra of eight pixels, for one scene of each fold."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from specrec.bench.figures.style import MARKERS, PALETTE, broken, plain_text, save
from specrec.cells.samples import read_sample, sample_path

if TYPE_CHECKING:
    from specrec.bench.results import Results

PANEL = 2.6  # inches
FOLDS_SHOWN = 2
METHODS_SHOWN = 30  # the first ones; a picture of more is larger than one can look at, and takes minutes


def draw_figure(results: "Results", path: Path) -> bool:
    """Draw one row of panels per method and fold; return False where there is nothing to draw.

    References
    ----------
    Alvarez-Gila et al. 2017, Figure 3, doi:10.1109/ICCVW.2017.64.
    """
    with plain_text():
        figure = spectra_figure(results)
        if figure is None:
            return False
        save(figure, (path,), dpi=110)
    return True


def spectra_figure(results: "Results", width: float | None = None) -> Any:
    """Make the figure, a `matplotlib.figure.Figure`, for a screen, or `width` inches wide; None: nothing to draw."""
    rows = _samples(results)
    if not rows:
        return None
    from matplotlib.figure import Figure

    per_row = max(len(row) for _, row in rows)
    widths = [1, 1, 1.3] * per_row
    panel = PANEL if width is None else width / (sum(widths) + 0.2)
    figure = Figure(figsize=(width or panel * sum(widths), panel * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), 3 * per_row, squeeze=False, gridspec_kw={"width_ratios": widths})
    for place, (line, (name, samples)) in enumerate(zip(axes, rows, strict=True)):
        for index, sample in enumerate(samples):
            _draw_triplet(
                line[3 * index : 3 * index + 3],
                sample,
                1.0 if width is None else 0.6,
                titled=width is None or place == 0,
            )
        for unused in line[3 * len(samples) :]:
            unused.set_axis_off()
        line[0].set_ylabel(broken(name))
    for axis in axes[-1][2::3]:
        axis.set_xlabel("wavelength, nm")
    return figure


def _samples(results: "Results") -> list[tuple[str, list[dict[str, Any]]]]:
    rows = []
    for slug, written in results.manifest.methods.items():
        samples = []
        for fold in range(min(FOLDS_SHOWN, len(results.manifest.folds))):
            path = sample_path(results.folder / "cells" / slug / f"fold{fold}-run0.json")
            if results.records.get((slug, fold, 0), {}).get("status") == "done" and path.is_file():
                samples.append(read_sample(path))
        if samples:
            rows.append((written, samples))
        if len(rows) == METHODS_SHOWN:
            break
    return rows


def _draw_triplet(axes: Any, sample: dict[str, Any], scale: float, *, titled: bool) -> None:
    """Left the truth, in the middle the estimate, right the spectra: dashed the truth, solid the estimate."""
    left, middle, right = axes
    for axis, rgb, title in (
        (left, "reference_rgb", f"truth, {sample['scene']}"),
        (middle, "estimate_rgb", "estimate"),
    ):
        axis.imshow(sample[rgb])
        if titled:
            axis.set_title(broken(title), fontsize="small")
        axis.set_xticks([])
        axis.set_yticks([])
    for index, (row, column) in enumerate(sample["pixels"]):
        kind = {"color": PALETTE[index], "marker": MARKERS[index]}
        edge = {"markeredgecolor": "white", "markeredgewidth": 0.5 * scale}
        left.plot(column, row, markersize=5 * scale, clip_on=False, zorder=5, **edge, **kind)  # pixels of the border
        dashed, solid = (sample[f"{name}_spectra"][index] for name in ("reference", "estimate"))
        right.plot(sample["wavelengths"], dashed, "--", color=kind["color"], linewidth=scale)
        right.plot(
            sample["wavelengths"], solid, "-", markevery=(index, 10), markersize=3 * scale, linewidth=scale,
            clip_on=False, **kind,
        )  # fmt: skip
    if titled:
        right.set_title("spectra: dashed truth,\nsolid estimate", fontsize="small")
    right.margins(x=0)
    right.tick_params(labelsize="small")
