"""A recipe: everything that decides the pixels of one synthetic scene, and the name that says it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from specrec.datasets.synthetic.library import spectra_version
from specrec.errors import UsageError

Spectra = Literal["world", "broad"]

VERSIONS: dict[Spectra, int] = {"world": 2, "broad": 3}
"""Raise one with any change that moves a count of its scenes: older cached scenes are then made again."""

LOWEST_EXPOSURE, HIGHEST_EXPOSURE = 0.01, 100.0


@dataclass(frozen=True)
class Recipe:
    """One scene, in words.

    Parameters
    ----------
    world
        Seed of the materials and their textures.
    index
        Which scene of that world.
    size
        Height and width in pixels.
    texture_link
        Whether a material has the same texture in every scene; False is the null world.
    spectra
        ``"world"``: metameric triples in daylight; ``"broad"``: any spectra in any light.
    exposure
        Factor on the radiance before noise, saturation and quantisation.
    """

    world: int
    index: int
    size: int = 256
    texture_link: bool = True
    spectra: Spectra = "world"
    exposure: float = 1.0

    @property
    def name(self) -> str:
        """The scene's name.

        Examples
        --------
        >>> Recipe(world=0, index=7).name, Recipe(3, 12, texture_link=False, exposure=0.25).name
        ('world0-scene007', 'null3-scene012-x0.25')
        """
        kind = self.spectra if self.texture_link else {"world": "null", "broad": "broadnull"}[self.spectra]
        exposure = "" if self.exposure == 1.0 else f"-x{self.exposure:g}"
        return f"{kind}{self.world}-scene{self.index:03d}{exposure}"

    @property
    def version(self) -> int:
        """Version of the code that makes scenes of these spectra."""
        return VERSIONS[self.spectra]

    @property
    def folder(self) -> str:
        """Name of the cache folder that this scene shares with those that differ in index or exposure only."""
        decisive = asdict(self) | {"version": self.version, "source": spectra_version(), "numpy": np.__version__}
        del decisive["index"], decisive["exposure"]  # they are in the name
        return f"{self.version}-{hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:12]}"

    def __str__(self) -> str:
        """Say the recipe in one line, as a scene's provenance."""
        link = "linked textures" if self.texture_link else "textures drawn per object"
        return (
            f"synthetic recipe {self.version}: spectra {self.spectra}, world {self.world}, scene {self.index}, "
            f"{self.size} x {self.size}, {link}, exposure {self.exposure:g}, {spectra_version()}"
        )


def read_exposure(text: str) -> tuple[float, float]:
    """Read ``"1"`` or ``"0.25:4"`` as a range of factors.

    Raises
    ------
    UsageError
        For anything else, or a factor outside 0.01 to 100.

    Examples
    --------
    >>> read_exposure("0.25:4"), read_exposure("2")
    ((0.25, 4.0), (2.0, 2.0))
    """
    first, colon, last = text.partition(":")
    try:
        low = float(first)
        high = float(last) if colon else low
    except ValueError:
        low = high = float("nan")
    if not LOWEST_EXPOSURE <= low <= high <= HIGHEST_EXPOSURE:
        raise UsageError(
            f"synthetic[exposure] is a factor such as 0.5 or a range such as 0.25:4, "
            f"between {LOWEST_EXPOSURE:g} and {HIGHEST_EXPOSURE:g}; not {text!r}"
        )
    return low, high


def draw_exposure(limits: tuple[float, float], world: int, index: int) -> float:
    """Draw the exposure of a scene log-uniformly; it is rounded so that the scene's name says it in full."""
    low, high = limits
    if low == high:
        return float(f"{low:.6g}")
    rng = np.random.default_rng([_EXPOSURE_STREAM, world, index])
    return float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.3g}")


_EXPOSURE_STREAM = 4321  # any number that no other generator here starts from
