"""LaTeX tables of a bench, each a file for another document to input, and a small document that shows them all."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specrec.bench.latex import comment, escape
from specrec.bench.scores import shown_part
from specrec.bench.statistics import LEVEL, Comparison, Pairs
from specrec.cells.columns import column
from specrec.errors import SpecrecError
from specrec.report.boxes import scores_shown

if TYPE_CHECKING:
    from specrec.bench.results import Results

LEAST = 1e-4
"""Smaller numbers than this are written with a power of ten."""

BLOCK = 9
"""Methods side by side in a table of scenes; further ones come in a table below."""


def methods_list(results: "Results") -> str:
    """Write the numbers that stand for the methods in the wide tables."""
    rows = [f"{index} & {escape(written)}" for index, written in enumerate(results.manifest.methods.values(), 1)]
    return _tabular("rl", ["", "method"], rows)


def scenes_table(results: "Results", metric: str) -> str:
    """Write the scores of every test scene, the mean over runs, the best of each bold; a ``longtable``.

    Methods stand there by their numbers, `BLOCK` of them side by side; the best is the best of them all.
    """
    part = shown_part(results)
    found = scores_shown(results, metric, part)
    numbers = {slug: index for index, slug in enumerate(results.manifest.methods, 1)}
    slugs = list(found)
    blocks = [slugs[start : start + BLOCK] for start in range(0, len(slugs), BLOCK)]
    text = comment(f"{metric}, {part}: the score of each scene, and its weight in the table; needs longtable")
    bests = _bests(metric, [scores.per_scene for scores in found.values()])
    for block in blocks:
        head = ["scene", "weight", *(str(numbers[slug]) for slug in block)]
        scenes = found[block[0]].scenes
        weights = found[block[0]].weights.mean(axis=0)
        columns = [found[slug].per_scene for slug in block]
        rows = [
            " & ".join(
                [escape(scene), f"{weights[place]:.0f}"]
                + [_bold(_number(values[place]), when=values[place] == bests[place]) for values in columns]
            )
            for place, scene in enumerate(scenes)
        ]
        text += f"\\begin{{longtable}}{{l{'r' * (len(head) - 1)}}}\n\\hline\n{' & '.join(head)} \\\\\n\\hline\n"
        text += "\\endhead\n" + "".join(f"{row} \\\\\n" for row in rows) + "\\hline\n\\end{longtable}\n"
    return text


def comparison_table(found: Comparison) -> str:
    """Write every method's difference to the best one, with its interval and p-values."""
    head = ["method", "difference", "95\\,\\% interval", "$p$", "$p$, Holm over all pairs", ""]
    marks = {"tied": "$=$", "worse": "", "": ""}
    rows = [f"\\textbf{{{escape(found.best)}}} & 0 & & & & best"]
    for one in found.differences:
        interval = "" if math.isnan(one.low) else f"$[{_power(f'{one.low:.4g}')}, {_power(f'{one.high:.4g}')}]$"
        interval += "$^{p}$" if one.interval == "percentile" else ""
        difference = f"${_power(f'{one.estimate:+.4g}')}$" if math.isfinite(one.estimate) else _number(one.estimate)
        mark = marks[found.standing(one.slug)]
        rows.append(f"{escape(one.method)} & {difference} & {interval} & {_p(one.p)} & {_p(one.p_holm)} & {mark}")
    return comment(f"{found.metric}, {found.part}, {found.scenes} scenes") + _tabular("lrrrrl", head, rows)


def pairs_table(found: Pairs, numbers: Mapping[str, int]) -> str:
    """Write all pairs: above the diagonal Holm's p, below it row less column; bold where p is below 0.05."""
    order = [str(numbers[method]) for method in found.methods]
    rows = []
    for row, method in enumerate(order):
        cells = []
        for place in range(len(order)):
            text = _p(found.p_holm[row, place]) if place > row else _number(found.estimate[row, place])
            cells.append("" if place == row else _bold(text, when=bool(found.p_holm[row, place] < LEVEL)))
        rows.append(" & ".join([method, *cells]))
    about = f"{found.metric}, {found.part}: above the diagonal p (Wilcoxon, Holm over all pairs), below row less column"
    return comment(about) + _tabular("r" * (len(order) + 1), ["", *order], rows)


def document(
    results: "Results", notes: Sequence[str], tables: Mapping[str, Mapping[str, str]], figures: Mapping[str, str]
) -> str:
    """Write a document for plain pdflatex that shows everything.

    Parameters
    ----------
    notes
        Footnotes of the table.
    tables
        By metric, the files of its ``comparison``, ``pairs`` and ``scenes``; what is not there is left out.
    figures
        Captions by file.
    """
    settings = results.manifest.settings
    heading = escape(f"{settings['name']}: {settings['dataset']}")
    part = escape(shown_part(results))
    text = f"{_PREAMBLE}\\begin{{document}}\n\\section*{{{heading}}}\n\\noindent\\fitted{{\\input{{table.tex}}}}\n\n"
    text += "\\par\\medskip\\noindent{\\footnotesize\n" + "".join(f"{escape(note)}\\\\\n" for note in notes) + "}\n"
    text += "\\section*{Methods}\n\\noindent\\fitted{\\input{methods.tex}}\n"
    for file, caption in figures.items():
        text += (
            f"\\begin{{figure}}[p]\\centering\n"
            f"\\fitted{{\\includegraphics{{{file}}}}}\n"
            f"\\caption{{{escape(caption)}}}\n\\end{{figure}}\n"
        )
    titles = {
        "comparison": f"Differences to the best ({part}). $=$: not told apart from it. $^{{p}}$: percentile interval,"
        " where BCa is not defined.",
        "pairs": f"All pairs ({part}): above the diagonal $p$ (Wilcoxon, Holm over all pairs), below it row less"
        " column; bold: $p < 0.05$.",
        "scenes": f"Scores per scene ({part}), methods by their numbers; bold: the best of the scene.",
    }
    for metric, files in tables.items():
        text += f"\\clearpage\n\\section*{{{escape(metric)}}}\n"
        for kind, file in files.items():
            shown = f"\\input{{{file}}}" if kind == "scenes" else f"\\noindent\\fitted{{\\input{{{file}}}}}"
            text += f"\\par\\medskip{{\\itshape {titles[kind]}\\par}}\\smallskip\n"
            text += f"{{\\small\\tabcolsep=4pt\n{shown}\\par}}\n"
    return text + "\\end{document}\n"


def _tabular(columns: str, head: Sequence[str], rows: Iterable[str]) -> str:
    body = "".join(f"{row} \\\\\n" for row in rows)
    return (
        f"\\begin{{tabular}}{{{columns}}}\n\\hline\n{' & '.join(head)} \\\\\n\\hline\n{body}\\hline\n\\end{{tabular}}\n"
    )


def _number(value: float) -> str:
    if math.isnan(value):
        return "--"
    if math.isinf(value):
        return "$\\infty$" if value > 0 else "$-\\infty$"
    if 0 < abs(value) < LEAST:
        return f"${_power(f'{value:.3g}')}$"
    return f"${value:.3f}$" if abs(value) >= 1 else f"${value:.5f}$"


def _power(text: str) -> str:
    r"""Write a number that Python has written as LaTeX does in math.

    Examples
    --------
    >>> _power("-8.371e-06")
    '-8.371\\times10^{-6}'
    """
    digits, exponent, power = text.partition("e")
    return f"{digits}\\times10^{{{int(power)}}}" if exponent else digits


def _bold(text: str, *, when: bool) -> str:
    return f"\\textbf{{\\boldmath {text}}}" if when else text


def _bests(metric: str, columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Find the best score of each scene; NaN where there is none, or the metric's direction is unknown."""
    try:
        pick = np.fmax if column(metric).higher_is_better else np.fmin
    except SpecrecError:  # of a plugin that is not there now
        return np.full_like(columns[0], np.nan) if columns else np.empty(0)
    bests: NDArray[np.float64] = pick.reduce(columns) if columns else np.empty(0)
    return bests


def _p(value: float) -> str:
    return "$<$.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


_PREAMBLE = r"""% Compile with: pdflatex report.tex
\documentclass[10pt,a4paper]{article}
\usepackage{graphicx,longtable}
\usepackage[margin=18mm]{geometry}
\setlength{\LTleft}{0pt}
\setlength{\parindent}{0pt}
\newsavebox{\whole}
\newlength{\wholeheight}
% what is wider or higher than the page is made smaller
\newcommand{\fitted}[1]{%
  \sbox{\whole}{#1}%
  \ifdim\wd\whole>\linewidth\sbox{\whole}{\resizebox{\linewidth}{!}{\usebox{\whole}}}\fi%
  \setlength{\wholeheight}{\ht\whole}\addtolength{\wholeheight}{\dp\whole}%
  \ifdim\wholeheight>0.8\textheight\sbox{\whole}{\resizebox*{!}{0.8\textheight}{\usebox{\whole}}}\fi%
  \usebox{\whole}}
"""
