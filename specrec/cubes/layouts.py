"""The layouts of data sets in MATLAB files, as a table: which key holds the cube, and what its bands are.

==========  ========================  =============================================  ===========  ===================
name        keys                      bands                                          quantity     values
==========  ========================  =============================================  ===========  ===================
harvard     ``ref`` and ``lbl``       31: 420-720 nm                                 radiance     as they are
foster      ``reflectances``          33: 400-720; 32: 400-710; 31: 410-710 nm       reflectance  as they are
arad        ``cube``, and ``bands``   31: 400-700 nm                                 radiance     as they are
            or ``norm_factor``
icvl        ``rad``, rows upside      31: 400-700 nm                                 radiance     divided by 4095
            down as the site has it
ntire2018   ``rad``, upright          31: 400-700 nm                                 radiance     divided by 4095
cassi       ``img``, ``cast``,        never assumed: from the file or the user       not said     as they are
            ``data_slice``,
            ``img_hs``
==========  ========================  =============================================  ===========  ===================

Wavelengths inside a file (`WAVELENGTH_KEYS`) go before those of the table. In ``lbl`` of Harvard, 0 marks pixels that
moved; they are masked. Harvard's values are as the camera saw them: the set's own table of the camera's sensitivity has
not been divided out.

References
----------
Chakrabarti and Zickler, Statistics of Real-World Hyperspectral Images, CVPR 2011 (harvard). Foster, Amano, Nascimento
and Foster, Frequency of metamerism in natural scenes, J. Opt. Soc. Am. A 23(10), 2006, PMC2040061 (foster). Arad et
al., NTIRE 2020 Challenge on Spectral Reconstruction from an RGB Image, CVPRW 2020 (arad).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError, UsageError
from specrec.scenes import Quantity

WAVELENGTH_KEYS = ("wavelengths", "wavelength", "lambda", "bands")
"""Where a file may list the wavelengths of its bands in nm."""

_STANDARD = {31: range(400, 701, 10)}
_OF_CASSI = ("img", "cast", "data_slice", "img_hs")


@dataclass(frozen=True)
class Layout:
    """How one data set lays its cubes out.

    Parameters
    ----------
    name
        As the user writes it.
    keys
        Of the cube; the first that is there counts.
    marks
        Keys of which one must be there too, so that the layout is recognised; empty: none is needed.
    grids
        Wavelengths in nm by number of bands.
    quantity
        Of the values, as the data set says it; None: it does not.
    full_scale
        What the values are divided by.
    mask_key
        Of an array (height, width) that is 0 where a pixel is not valid.
    upside_down
        Whether the array is (width, height, bands) with its rows from the bottom up.
    recognised
        Whether a file is taken for this layout unless the user names it.
    """

    name: str
    keys: tuple[str, ...]
    marks: tuple[str, ...] = ()
    grids: Mapping[int, range] = field(default_factory=dict)
    quantity: Quantity | None = "radiance"
    full_scale: float = 1.0
    mask_key: str | None = None
    upside_down: bool = False
    recognised: bool = True

    def fits(self, names: Mapping[str, object]) -> bool:
        """Tell whether a file with arrays of these names is of this layout."""
        return any(key in names for key in self.keys) and (not self.marks or any(key in names for key in self.marks))


LAYOUTS = (
    Layout("harvard", ("ref",), ("lbl",), {31: range(420, 721, 10)}, mask_key="lbl"),
    Layout(
        "foster",
        ("reflectances",),
        grids={33: range(400, 721, 10), 32: range(400, 711, 10), 31: range(410, 711, 10)},
        quantity="reflectance",
    ),
    Layout("arad", ("cube",), ("bands", "norm_factor"), _STANDARD),
    Layout("icvl", ("rad",), grids=_STANDARD, full_scale=4095.0, upside_down=True, recognised=False),
    Layout("ntire2018", ("rad",), grids=_STANDARD, full_scale=4095.0, recognised=False),
    Layout("cassi", _OF_CASSI, quantity=None),
)
NAMES = tuple(layout.name for layout in LAYOUTS)


def of_key(key: str) -> Layout:
    """Make the layout of an array that the user names: upright, (height, width, bands), values as they are."""
    return Layout("key", (key,), quantity=None)


def choose(shapes: Mapping[str, tuple[int, ...]], name: str | None, where: str) -> Layout:
    """Find the layout of a file by the arrays that it holds, or check the one that the user names.

    Parameters
    ----------
    shapes
        Of the arrays by name.
    name
        One of `NAMES`, or None: it is recognised.
    where
        The file, for messages.

    Raises
    ------
    UsageError
        If the file holds no array of the layout that the user names, or there is no such layout.
    DataError
        If the file is of no known layout; the message lists what it holds.
    """
    there = listing(shapes)
    if name is not None:
        if name not in NAMES:
            raise UsageError(f"there is no layout {name!r}; there are {', '.join(NAMES)}")
        layout = LAYOUTS[NAMES.index(name)]
        if not any(key in shapes for key in layout.keys):
            raise UsageError(f"{where} has no key {' or '.join(layout.keys)}, as layout {name} has; it holds {there}")
        return layout
    for layout in LAYOUTS:
        if layout.recognised and layout.fits(shapes):
            return layout
    if "rad" in shapes:
        raise DataError(
            f"{where}: this is a MATLAB v5 file; a v7.3 file was expected for 'rad', so whether the image is upright is"
            " not known: add --layout ntire2018 (it is) or --layout icvl (it lies as in the files of the ICVL site)"
        )
    raise DataError(
        f"{where} has no key 'rad'; it holds {there}, which is no layout that is known: name the array (--key NAME) and"
        " its wavelengths (--wavelengths 400:10:700, or a list, or a text file)"
    )


def listing(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Say which arrays there are, as messages do."""
    if not shapes:
        return "no array of numbers"
    words = [f"{name} ({' x '.join(map(str, shape))})" for name, shape in sorted(shapes.items())]
    return ", ".join(words[:8]) + (f" and {len(words) - 8} more" if len(words) > 8 else "")


def grid_of(layout: Layout, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    """Wavelengths in nm that a layout gives for an array whose last axis, or else its first, are the bands; or None."""
    for bands in (shape[-1], shape[0]):
        if bands in layout.grids:
            return np.asarray(layout.grids[bands], dtype=np.float64)
    return None
