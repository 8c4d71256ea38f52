"""One scene: objects of a world's materials, lit, exposed and counted by a 12-bit spectral camera."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specrec.datasets.synthetic.camera import add_veil, draw_veil
from specrec.datasets.synthetic.layout import Layout, draw_layout
from specrec.datasets.synthetic.light import Light, draw_light
from specrec.datasets.synthetic.recipe import Recipe
from specrec.datasets.synthetic.textures import Map, draw_textures, noise
from specrec.datasets.synthetic.world import MATERIALS, TRIPLES, World, world
from specrec.spectra import WAVELENGTHS, Cube

FULL_SCALE = 4095
"""The largest count: a cube is counts / 4095."""

Counts = NDArray[np.uint16]

_ROWS = 16  # rows that are worked on together, so that they stay in the processor's cache
_NOISE = 0.002  # of a pixel at full scale
_GREEN = WAVELENGTHS.size // 2


@dataclass(frozen=True)
class Objects:
    """What the objects of a scene are made of; row k of each array is object k.

    Parameters
    ----------
    material
        (count,) index into the world's materials.
    surface
        (count,) whose texture, contrast and gloss it has: its own material's, but in the null world anyone's.
    log_reflectance
        (count, 31) float32.
    concentration, dirt, grey
        (count,) float32: factor on the pigment, share of grey, and how light that grey is.
    brightness
        (count,) float32: logarithm of how it is turned to the light.
    """

    material: NDArray[np.intp]
    surface: NDArray[np.intp]
    log_reflectance: NDArray[np.float32]
    concentration: NDArray[np.float32]
    dirt: NDArray[np.float32]
    grey: NDArray[np.float32]
    brightness: NDArray[np.float32]


@dataclass(frozen=True)
class Composition:
    """A scene before light falls on it; `on_black` where the surround is black cloth."""

    layout: Layout
    objects: Objects
    on_black: bool


@dataclass(frozen=True)
class _Maps:
    """Per pixel: pigment, and the strengths of direct, ambient and mirrored light; (size, size) float32 each."""

    concentration: Map
    direct: Map
    ambient: Map
    mirrored: Map


def make_counts(recipe: Recipe) -> Counts:
    """Make a scene as a camera would store it.

    Returns
    -------
    (size, size, 31) uint16, 0 to 4095. Up to size / 16 columns on the right are zero in every band, as in images of
    varying width; no other pixel is.
    """
    here, composition = world(recipe.world, recipe.spectra), compose(recipe)
    textures = draw_textures(_stream(recipe, "textures"), recipe.size)
    rng = _stream(recipe, "light")
    light = draw_light(rng, recipe.spectra)
    maps = _draw_maps(rng, composition, here, light, textures)
    radiance = _radiance(composition, maps, light)
    if rng.random() < 0.75 and not composition.on_black:
        _paint_sky(rng, radiance, composition.layout, light)
    if recipe.spectra == "broad":
        white = np.asarray((light.sun + light.ambient * light.sky) / (1.0 + light.ambient), dtype=np.float32)
        add_veil(radiance, white, draw_veil(_stream(recipe, "camera")))
    return _expose(_stream(recipe, "sensor"), radiance, recipe.exposure)


def _stream(recipe: Recipe, part: str) -> np.random.Generator:
    """Give each part of a scene its own numbers: a linked scene and its null twin differ in surfaces alone."""
    parts = ("layout", "objects", "surfaces", "textures", "light", "sensor", "camera")
    return np.random.default_rng([2017, recipe.spectra == "broad", recipe.world, recipe.index, parts.index(part)])


def compose(recipe: Recipe) -> Composition:
    """Decide what is where in a scene: the truth behind its pixels."""
    broad, here = recipe.spectra == "broad", world(recipe.world, recipe.spectra)
    layout = draw_layout(_stream(recipe, "layout"), recipe.size)
    rng, count = _stream(recipe, "objects"), layout.count
    present = rng.choice(TRIPLES, int(rng.integers(5, 9)), replace=False)
    material = 3 * rng.choice(present, count) + rng.integers(0, 3, count)
    anyone = _stream(recipe, "surfaces").integers(0, MATERIALS, count)
    shares = rng.dirichlet([1.2, 1.2, 1.2], count).astype(np.float32)
    most_dirt = 0.8 if broad else 0.35
    objects = Objects(
        material=material,
        surface=material if recipe.texture_link else anyone,
        log_reflectance=(shares[..., np.newaxis] * here.log_reflectance[material]).sum(axis=1),
        concentration=np.exp(rng.normal(0.0, 0.5 if broad else 0.18, count)).astype(np.float32),
        dirt=(most_dirt * rng.random(count) ** 2).astype(np.float32),
        grey=rng.uniform(0.1, 0.4, count).astype(np.float32),
        brightness=rng.normal(0.0, 0.2, count).astype(np.float32),
    )
    on_black = broad and rng.random() < 0.35
    if on_black:
        _blacken_surround(rng, objects, layout)
    return Composition(layout, objects, on_black)


def _blacken_surround(rng: np.random.Generator, objects: Objects, layout: Layout) -> None:
    """Lay the clutter out on black cloth, as for pictures taken in a laboratory."""
    cloth = slice(0, layout.sky)
    objects.dirt[cloth] = 1.0
    objects.grey[cloth] = rng.uniform(0.004, 0.03)


def _draw_maps(rng: np.random.Generator, composition: Composition, here: World, light: Light, textures: Map) -> _Maps:
    labels, objects = composition.layout.labels, composition.objects
    size = labels.shape[0]
    texture = np.take_along_axis(textures, here.texture[objects.surface][labels][np.newaxis], axis=0)[0]
    pigment, gloss = here.pigment[objects.surface], here.gloss[objects.surface][labels]
    # Beer-Lambert: where the texture is high there is more pigment, and less light comes back
    concentration = objects.concentration[labels] * np.exp(np.float32(0.6) * pigment[labels] * texture)
    relief = np.float32(0.18) * noise(rng, size, 2.2, 0.0, 0.08)
    shading = np.exp(relief + objects.brightness[labels] - here.shading[objects.surface][labels] * texture)
    threshold = np.float32(rng.uniform(-1.2, 0.2))
    lit = 1 / (1 + np.exp(np.float32(6.0) * (threshold - noise(rng, size, 1.8, 0.0, 0.06))))  # soft cast shadows
    glints = np.maximum(noise(rng, size, 1.0, 0.02, 0.3) - np.float32(1.6), 0)
    haze = np.exp(np.float32(0.15) * noise(rng, size, 2.0, 0.0, 0.05))
    return _Maps(
        concentration=concentration,
        direct=lit * shading,
        ambient=np.float32(light.ambient) * haze * np.sqrt(shading),
        mirrored=gloss * (np.float32(2.0) * glints * lit + np.float32(0.12)),
    )


def _radiance(composition: Composition, maps: _Maps, light: Light) -> Cube:
    """Light that comes off the objects: pigment in a body that scatters, and a mirror-like skin (Shafer 1985)."""
    objects, size = composition.objects, composition.layout.labels.shape[0]
    radiance = np.empty((size, size, WAVELENGTHS.size), dtype=np.float32)
    for top in range(0, size, _ROWS):
        rows = slice(top, top + _ROWS)
        labels = composition.layout.labels[rows]
        reflectance = objects.log_reflectance[labels]
        reflectance *= maps.concentration[rows, :, np.newaxis]
        np.exp(reflectance, out=reflectance)
        dirt = objects.dirt[labels][..., np.newaxis]
        reflectance *= 1 - dirt
        reflectance += dirt * objects.grey[labels][..., np.newaxis]
        incident = maps.direct[rows, :, np.newaxis] * light.sun
        incident += maps.ambient[rows, :, np.newaxis] * light.sky
        reflectance *= incident
        np.multiply(maps.mirrored[rows, :, np.newaxis], light.sun, out=incident)
        np.add(reflectance, incident, out=radiance[rows])
    return radiance


def _paint_sky(rng: np.random.Generator, radiance: Cube, layout: Layout, light: Light) -> None:
    """Let the sky regions shine: skylight with clouds, darker towards the top."""
    size = radiance.shape[0]
    above = (layout.labels >= layout.ground) & (layout.labels < layout.sky)
    clouds = np.float32(0.5) * noise(rng, size, 1.7) + np.float32(rng.uniform(-0.6, 0.5))
    cover = np.clip(clouds, 0, 1)[above][:, np.newaxis]
    height = np.broadcast_to(np.linspace(0.35, 0.70, size, dtype=np.float32)[:, np.newaxis], above.shape)
    white = np.float32(1.3) * (np.float32(0.6) * light.sun + np.float32(0.4) * light.sky)
    radiance[above] = height[above][:, np.newaxis] * ((1 - cover) * light.sky + cover * white)


def _expose(rng: np.random.Generator, radiance: Cube, exposure: float) -> Counts:
    """Turn radiance into counts: at exposure 1, 0.3 % of the pixels reach full scale in their brightest band."""
    size = radiance.shape[0]
    white = float(np.percentile(radiance[::4, ::4].max(axis=-1), 99.7))
    radiance *= np.float32(exposure / white)
    counts = np.empty(radiance.shape, dtype=np.uint16)
    for top in range(0, size, _ROWS):
        block = radiance[top : top + _ROWS]
        disturbance = rng.standard_normal(block.shape, dtype=np.float32)
        disturbance *= np.sqrt(block + np.float32(0.15))  # photons and the electronics
        block += np.float32(_NOISE) * disturbance
        np.clip(block, 0, 1, out=block)
        block *= FULL_SCALE
        counts[top : top + _ROWS] = np.rint(block, out=block)
    counts[~counts.any(axis=-1), _GREEN] = 1  # an all-zero pixel means: no pixel
    border = int(rng.integers(0, max(2, size // 16)))
    counts[:, size - border :] = 0
    return counts
