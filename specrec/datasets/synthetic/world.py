"""A world: 24 materials in 8 triples, each with the surface that, by the world's rule, goes with it.

Within a triple the spectra look alike in daylight and are clearly different otherwise, and no two share a texture.
So a colour leaves a material open and its texture settles it: that is what makes spatial context worth something here.
The link is a construction. In the null world every object takes its surface from a material drawn at random.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from specrec.datasets.synthetic.broad import draw_broad_spectra
from specrec.datasets.synthetic.library import library
from specrec.datasets.synthetic.light import daylight
from specrec.datasets.synthetic.recipe import Spectra
from specrec.datasets.synthetic.textures import TEXTURES
from specrec.datasets.synthetic.variants import DAYLIGHT, at_equal_luminance, with_variants
from specrec.rendering import xyz_weights

TRIPLES, MATERIALS = 8, 24
TOLERANCE = 0.012  # in CIE 1976 u'v': near enough to pass for one colour across a scene's shading and noise
LEAST_DIFFERENCE = 0.2  # of two spectra of a triple at equal luminance, relative to the larger: far from a metamer
_CONTRAST = 1.8


@dataclass(frozen=True)
class World:
    """The materials of a world; row m of each array is material m, and m // 3 is its triple.

    Parameters
    ----------
    log_reflectance
        (24, 3, 31) float32: three related spectra, of which every object is a mixture.
    texture
        (24,) index into `TEXTURES`.
    shading, pigment
        (24,) float32: how strongly the texture darkens, and how strongly it concentrates the pigment.
    gloss
        (24,) float32: strength of highlights.
    """

    log_reflectance: NDArray[np.float32]
    texture: NDArray[np.intp]
    shading: NDArray[np.float32]
    pigment: NDArray[np.float32]
    gloss: NDArray[np.float32]


@lru_cache(maxsize=8)
def world(seed: int, spectra: Spectra = "world") -> World:
    """Return a world by its seed.

    Parameters
    ----------
    seed
        The same seed gives the same world.
    spectra
        ``"world"``: metameric triples; ``"broad"``: any spectra, see `broad`.
    """
    rng = np.random.default_rng([1931, seed, spectra == "broad"])
    log_reflectance = _triples_with_variants(rng) if spectra == "world" else draw_broad_spectra(rng, MATERIALS)
    texture = _draw_textures_of_materials(rng)
    contrast = _CONTRAST * np.where(texture == TEXTURES.index("smooth"), 0.25, 1.0)
    if spectra == "broad":
        contrast *= rng.random(MATERIALS)  # most things in photographs are smooth
    glossy = rng.random(MATERIALS) < 0.4
    brightest = 0.10 if spectra == "world" else 0.40
    return World(
        log_reflectance=log_reflectance.astype(np.float32),
        texture=texture,
        shading=(contrast * rng.uniform(0.08, 0.30, MATERIALS)).astype(np.float32),
        pigment=(contrast * rng.uniform(0.10, 0.45, MATERIALS)).astype(np.float32),
        gloss=np.where(glossy, rng.uniform(0.02, brightest, MATERIALS), 0.004).astype(np.float32),
    )


def _draw_textures_of_materials(rng: np.random.Generator) -> NDArray[np.intp]:
    """Give every texture to three materials, never to two of one triple: (24,) index into `TEXTURES`."""
    order, shifts = rng.permutation(len(TEXTURES)), np.append(0, rng.choice(np.arange(1, len(TEXTURES)), 2, False))
    return np.asarray(order[(np.arange(TRIPLES)[:, np.newaxis] + shifts) % len(TEXTURES)].ravel())


def chromaticities(reflectances: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE 1976 u'v' under 5700 K daylight, (n, 2)."""
    x, y, z = (reflectances * daylight(DAYLIGHT) @ xyz_weights()).T
    return np.asarray(np.stack([4 * x, 9 * y], axis=1) / (x + 15 * y + 3 * z)[:, np.newaxis])


def differences(reflectances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of every two spectra at equal luminance, relative to the longer one: (n, n), 0 to 1."""
    spectra = at_equal_luminance(reflectances)
    length = np.linalg.norm(spectra, axis=1)
    apart = np.linalg.norm(spectra[:, np.newaxis] - spectra[np.newaxis], axis=2)
    relative: NDArray[np.float64] = apart / np.maximum(length[:, np.newaxis], length[np.newaxis])
    return relative


def draw_triples(rng: np.random.Generator) -> list[list[int]]:
    """Choose 8 disjoint triples of library spectra, each with a colour of its own; worlds differ in the choice."""
    reflectances = library().reflectances
    places, apart = chromaticities(reflectances), differences(reflectances)
    distance = np.linalg.norm(places[:, np.newaxis] - places[np.newaxis], axis=2)
    metameric = np.where(distance < TOLERANCE, apart, 0.0)
    # very vivid spectra are rare in the world
    taste = np.exp(-(np.log(reflectances).std(axis=1) ** 2)) * rng.uniform(0.6, 1.0, len(reflectances))
    free = np.ones(len(reflectances), dtype=np.bool_)
    novelty = np.ones(len(reflectances))
    triples: list[list[int]] = []
    while len(triples) < TRIPLES:
        promise = np.sort(metameric * free, axis=1)[:, -2:].mean(axis=1) * free * taste * novelty
        first = int(promise.argmax())
        if promise[first] == 0.0:
            raise RuntimeError("the library of spectra has too few metameric triples")
        second = int((metameric[first] * free).argmax())
        third = int((np.minimum(metameric[first], metameric[second]) * free).argmax())
        triple = [first, second, third]
        if min(metameric[first, second], metameric[first, third], metameric[second, third]) < LEAST_DIFFERENCE:
            taste[first] = 0.0  # no second and third that are far from each other, too
            continue
        triples.append(triple)
        free &= (apart[triple] >= 0.02).all(axis=0)  # nor may another triple hold the same spectrum again
        # triples keep their distance from each other, so that a colour says which triple it is
        novelty = np.minimum(novelty, 1.002 - np.exp(-((distance[first] / 0.04) ** 2)))
    return triples


def _triples_with_variants(rng: np.random.Generator) -> NDArray[np.float64]:
    members = [member for triple in draw_triples(rng) for member in triple]
    return np.stack([with_variants(member) for member in members])
