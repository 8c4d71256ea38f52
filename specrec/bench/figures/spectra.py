"""The paper's Figure 3 for any bench: truth, estimate, and the spectra of eight pixels, for one scene of each fold."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from specrec.bench.samples import read_sample, sample_path
from specrec.cache import written_whole

if TYPE_CHECKING:
    from specrec.bench.results import Results

PANEL = 2.6  # inches
FOLDS_SHOWN = 2


def draw_figure(results: "Results", path: Path) -> bool:
    """Draw one row of panels per method and fold; return False where there is nothing to draw.

    References
    ----------
    Alvarez-Gila et al. 2017, Figure 3, doi:10.1109/ICCVW.2017.64.
    """
    rows = _samples(results)
    if not rows:
        return False
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    per_row = max(len(row) for _, row in rows)
    widths = [1, 1, 1.3] * per_row
    figure = Figure(figsize=(PANEL * sum(widths), PANEL * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), 3 * per_row, squeeze=False, gridspec_kw={"width_ratios": widths})
    for line, (name, samples) in zip(axes, rows, strict=True):
        for index, sample in enumerate(samples):
            _draw_triplet(line[3 * index : 3 * index + 3], sample)
        for unused in line[3 * len(samples) :]:
            unused.set_axis_off()
        line[0].set_ylabel(name)
    for axis in axes[-1][2::3]:
        axis.set_xlabel("wavelength, nm")
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png", metadata={"Software": None})
    return True


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
    return rows


def _draw_triplet(axes: Any, sample: dict[str, Any]) -> None:
    """Left the truth, in the middle the estimate, right the spectra: dashed the truth, solid the estimate."""
    left, middle, right = axes
    for axis, rgb, title in (
        (left, "reference_rgb", f"truth, {sample['scene']}"),
        (middle, "estimate_rgb", "estimate"),
    ):
        axis.imshow(sample[rgb])
        axis.set_title(title, fontsize="small")
        axis.set_xticks([])
        axis.set_yticks([])
    for index, (row, column) in enumerate(sample["pixels"]):
        colour = f"C{index}"
        left.plot(column, row, "o", color=colour, markeredgecolor="white", markersize=5)
        right.plot(sample["wavelengths"], sample["reference_spectra"][index], "--", color=colour, linewidth=1)
        right.plot(sample["wavelengths"], sample["estimate_spectra"][index], "-", color=colour, linewidth=1)
    right.set_title("spectra: dashed truth, solid estimate", fontsize="small")
    right.margins(x=0)
    right.tick_params(labelsize="small")
