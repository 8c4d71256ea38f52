"""The page on metrics: every id has its row and its formula, and its formulas give the numbers of the code.

The formulas of the page are spelled here once more beside what they say in numpy: whoever changes one changes both.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from specrec.cells.ceiling import COLUMNS, score
from specrec.interfaces import Metric
from specrec.registry import registry
from specrec.rendering import cmfs
from specrec.spectra import WAVELENGTHS

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
SECTIONS = {
    name: text
    for title, text in re.findall(r"^### (.*?)\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    for name in re.findall("`(.*?)`", title)
}
METRICS = {**{name: offer.value for name, offer in registry().metrics.items()}, **COLUMNS}
OURS = sorted(name for name in METRICS if name in COLUMNS or registry().metrics[name].distribution == "specrec")

Numbers = NDArray[np.float64]


def formulas(name: str) -> list[str]:
    return [" ".join(formula.split()) for formula in re.findall(r"\$\$(.*?)\$\$", SECTIONS[name], re.DOTALL)]


def length(spectra: Numbers) -> Numbers:
    return np.sqrt((spectra**2).sum(axis=1))


def rmse(e: Numbers, r: Numbers) -> float:
    return 255 / len(r) * np.sqrt(1 / r.shape[1] * ((e - r) ** 2).sum(axis=1)).sum()


def rrmse(e: Numbers, r: Numbers) -> float:
    roots = []
    for estimated, true in zip(e, r, strict=True):
        d = true >= 1 / 255
        if d.any():
            roots.append(np.sqrt(1 / d.sum() * (((estimated - true)[d] / true[d]) ** 2).sum()))
    return 1 / len(roots) * sum(roots)


def rrmse_norm(e: Numbers, r: Numbers) -> float:
    q = length(r) > 0
    return 1 / q.sum() * (length(e - r)[q] / length(r)[q]).sum()


def cosines(e: Numbers, r: Numbers) -> Numbers:
    q = length(r) * length(e) > 0
    return np.minimum(1, np.abs((r * e).sum(axis=1))[q] / (length(r) * length(e))[q])


def gfc(e: Numbers, r: Numbers) -> float:
    return cosines(e, r).mean()


def sam(e: Numbers, r: Numbers) -> float:
    return np.arccos(cosines(e, r)).mean()


def lab(spectra: Numbers) -> Numbers:
    to_xyz = 100 / cmfs()[:, 1].sum() * cmfs()
    t = spectra @ to_xyz / (np.ones(31) @ to_xyz)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), (29 / 6) ** 2 / 3 * t + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])])


def de2000(e: Numbers, r: Numbers) -> float:
    def g(c: Numbers) -> Numbers:
        return np.sqrt(c**7 / (c**7 + 25.0**7))

    (l_1, a_1, b_1), (l_2, a_2, b_2) = lab(e), lab(r)
    stretch = 1 + 0.5 * (1 - g((np.hypot(a_1, b_1) + np.hypot(a_2, b_2)) / 2))
    c_1, c_2 = np.hypot(stretch * a_1, b_1), np.hypot(stretch * a_2, b_2)
    h_1, h_2 = np.arctan2(b_1, stretch * a_1), np.arctan2(b_2, stretch * a_2)
    turn = (h_2 - h_1 + np.pi) % (2 * np.pi) - np.pi
    hue = np.degrees(h_1 + turn / 2) % 360
    mean_c, from_50 = (c_1 + c_2) / 2, ((l_1 + l_2) / 2 - 50) ** 2
    t = 1 - 0.17 * cos(hue - 30) + 0.24 * cos(2 * hue) + 0.32 * cos(3 * hue + 6) - 0.20 * cos(4 * hue - 63)
    of_l = (l_2 - l_1) / (1 + 0.015 * from_50 / np.sqrt(20 + from_50))
    of_c = (c_2 - c_1) / (1 + 0.045 * mean_c)
    of_h = 2 * np.sqrt(c_1 * c_2) * np.sin(turn / 2) / (1 + 0.015 * mean_c * t)
    rotation = -2 * g(mean_c) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    return np.sqrt(of_l**2 + of_c**2 + of_h**2 + rotation * of_c * of_h).mean()


def cos(degrees: Numbers) -> Numbers:
    return np.cos(np.radians(degrees))


def squared(e: Numbers, r: Numbers) -> float:
    return 1 / r.size * ((e - r) ** 2).sum()


def rmse_arad(e: Numbers, r: Numbers) -> float:
    return 255 / r.max() * np.sqrt(squared(e, r))


def mrae_2018(e: Numbers, r: Numbers) -> float:
    return 1 / r.size * (np.abs(e - r) / (r + 2.0**-52)).sum()


def mrae_2020(e: Numbers, r: Numbers) -> float:
    v = r > 0
    return 1 / v.sum() * (np.abs(e - r)[v] / r[v]).sum()


def psnr(e: Numbers, r: Numbers) -> float:
    return 10 * np.log10(1 / squared(e, r))


def mse(e: Numbers, r: Numbers) -> float:
    return 255**2 * squared(e, r)


COSINE = r"\frac{\left\lvert \sum_b r_{pb} \, e_{pb} \right\rvert}{\lVert r_p \rVert \, \lVert e_p \rVert}"
POOLED = r"\frac{1}{N B} \sum_{p \in P} \sum_b"
SPELLED: dict[str, tuple[str, Any]] = {
    "rmse": (r"\frac{255}{N} \sum_{p \in P} \sqrt{\frac{1}{B} \sum\limits_b (e_{pb} - r_{pb})^2}", rmse),
    "rrmse": (
        r"\frac{1}{\lvert Q \rvert} \sum_{p \in Q} \sqrt{\frac{1}{\lvert D_p \rvert} \sum\limits_{b \in D_p}"
        r" \left( \frac{e_{pb} - r_{pb}}{r_{pb}} \right)^2}, \qquad D_p = \{ b \, : \, r_{pb} \ge \tfrac{1}{255} \},"
        r" \quad Q = \{ p \in P \, : \, \lvert D_p \rvert > 0 \}",
        rrmse,
    ),
    "rrmse@norm": (
        r"\frac{1}{\lvert Q \rvert} \sum_{p \in Q} \frac{\lVert e_p - r_p \rVert}{\lVert r_p \rVert}, \qquad"
        r" Q = \{ p \in P \, : \, \lVert r_p \rVert > 0 \}",
        rrmse_norm,
    ),
    "gfc": (
        rf"\frac{{1}}{{\lvert Q \rvert}} \sum_{{p \in Q}} {COSINE}, \qquad"
        r" Q = \{ p \in P \, : \, \lVert r_p \rVert \, \lVert e_p \rVert > 0 \}",
        gfc,
    ),
    "sam": (
        rf"\frac{{1}}{{\lvert Q \rvert}} \sum_{{p \in Q}} \arccos {COSINE}, \qquad Q \text{{ as in gfc}}",
        sam,
    ),
    "de2000": (
        r"\frac{1}{N} \sum_{p \in P} \Delta E_{00}\left( \mathrm{Lab}(e_p), \mathrm{Lab}(r_p) \right)",
        de2000,
    ),
    "rmse@arad2016": (
        r"\frac{255}{\max_{p \in P, \, b} r_{pb}} \sqrt{\frac{1}{N B} \sum\limits_{p \in P} \sum\limits_b"
        r" (e_{pb} - r_{pb})^2}",
        rmse_arad,
    ),
    "mrae@ntire2018": (rf"{POOLED} \frac{{\lvert e_{{pb}} - r_{{pb}} \rvert}}{{r_{{pb}} + 2^{{-52}}}}", mrae_2018),
    "mrae@ntire2020": (
        r"\frac{1}{\lvert V \rvert} \sum_{(p, b) \in V} \frac{\lvert e_{pb} - r_{pb} \rvert}{r_{pb}}, \qquad"
        r" V = \{ (p, b) \, : \, p \in P, \; r_{pb} > 0 \}",
        mrae_2020,
    ),
    "psnr": (rf"10 \log_{{10}} \frac{{1}}{{{POOLED} (e_{{pb}} - r_{{pb}})^2}}", psnr),
    "rmse@matched": (
        r"\frac{255}{\lvert M \rvert} \sum_{p \in M} \sqrt{\frac{1}{B} \sum\limits_b (e_{pb} - r_{pb})^2}",
        rmse,
    ),
    "mse@matched": (r"\frac{255^2}{\lvert M \rvert B} \sum_{p \in M} \sum_b (e_{pb} - r_{pb})^2", mse),
}
SPELLED |= {name.replace("matched", "metamers"): SPELLED[name] for name in ("rmse@matched", "mse@matched")}


@pytest.fixture(scope="module")
def image() -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    """Estimate, reference and mask, with colours, dark bands, zeros, and pixels that are black in one of the two."""
    rng = np.random.default_rng(6)
    reference = rng.random((12, 14, 31)) * rng.random((12, 14, 1)) ** 2
    reference[rng.random(reference.shape) < 0.1] = 0.0
    estimate = reference * (1 + 0.2 * rng.standard_normal(reference.shape)) + 0.01
    reference[2, 3] = reference[5, 6] = estimate[7, 8] = 0.0
    return estimate, reference, rng.random((12, 14)) < 0.8


def test_every_metric_has_its_section() -> None:
    assert set(OURS) == set(SECTIONS) == set(SPELLED)


@pytest.mark.parametrize("name", OURS)
def test_the_formula_of_the_page_gives_the_number_of_the_code(name: str, image: Any) -> None:
    estimate, reference, mask = image
    spelled, function = SPELLED[name]
    assert formulas(name)[0] == spelled
    if name in COLUMNS:
        found = score(estimate, reference, mask, mask)[name].value
    else:
        found = METRICS[name](estimate, reference, mask, WAVELENGTHS).value
    assert found == pytest.approx(function(estimate[mask], reference[mask]), rel=1e-9)


@pytest.mark.parametrize("name", OURS)
def test_unit_scale_direction_and_source_are_those_that_the_command_prints(name: str) -> None:
    metric: Metric = METRICS[name]
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| [") and f"`{name}`" in line]
    better = "higher" if metric.higher_is_better else "lower"
    assert [cell.strip() for cell in row.split("|")][2:5] == [metric.unit, metric.scale, better]
    if name not in COLUMNS:
        assert metric.reference.split(", ")[-1] in SECTIONS[name]
