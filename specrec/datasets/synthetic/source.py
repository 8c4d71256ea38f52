"""The data set `synthetic`: scenes by recipe, made when they are first asked for and kept in the cache folder."""

import math
from collections.abc import Callable, Sequence
from functools import cache, cached_property, partial
from pathlib import Path
from typing import ClassVar, Literal, cast

import numpy as np

from specrec.cache import SYNTHETIC, cache_folder
from specrec.datasets.synthetic.recipe import Recipe, Spectra, draw_exposure, read_exposure
from specrec.errors import UsageError
from specrec.interfaces import Progress, SceneSource, silent
from specrec.parameters import Parameter, Value, nearest
from specrec.scenes import Mask, Scene, Window
from specrec.spectra import WAVELENGTHS, Cube
from specrec.stored_arrays import stored_array, write_array

Counts = np.ndarray[tuple[int, ...], np.dtype[np.uint16]]


class SyntheticSource(SceneSource):
    """Scenes made of measured spectra; nothing is downloaded. A result on them says nothing about real scenes.

    Cubes are counts / 4095 of a 12-bit camera. A pixel that is zero in every band is not valid.

    Examples
    --------
    >>> source = SyntheticSource(scenes=2, exposure="0.25")
    >>> source.names()
    ['world0-scene000-x0.25', 'world0-scene001-x0.25']
    >>> source.open("world0-scene001-x0.25").shape
    (256, 256, 31)
    """

    name = "synthetic"
    summary = "scenes made on the fly from measured spectra; embedded, seeded, no download"
    quantity: ClassVar[Literal["radiance", "reflectance"]] = "radiance"
    trials = (
        {"scenes": 2, "size": 32},
        {"scenes": 3, "size": 32, "worlds": 2, "texture_link": False, "first": 7, "exposure": "0.25:4"},
        {"scenes": 2, "size": 48, "spectra": "broad"},
    )
    parameters: ClassVar = {
        "world": Parameter(0, "seed of the first world of materials", minimum=0),
        "worlds": Parameter(1, "number of worlds, which the scenes take in turn", minimum=1),
        "texture_link": Parameter(True, "whether a material keeps its texture; false is the null world"),
        "scenes": Parameter(40, "number of scenes", minimum=1, maximum=100_000),
        "size": Parameter(256, "height and width in pixels", minimum=32, maximum=4096),
        "first": Parameter(0, "index of the first scene", minimum=0),
        "exposure": Parameter("1", "factor on the radiance, or a range such as 0.25:4 to draw it from"),
        "spectra": Parameter(
            "world", "world: metameric triples in daylight; broad: any spectra, any light", choices=("world", "broad")
        ),
    }

    def __init__(self, path: Path | None = None, **given: Value) -> None:
        super().__init__(None, **given)
        if path is not None:
            raise UsageError(
                f"the data set synthetic makes its scenes and reads none from {path}; leave the folder out"
            )
        self._kept = True  # in the cache folder, once made
        self._exposures = read_exposure(str(self.settings["exposure"]))

    @cached_property
    def _recipes(self) -> dict[str, Recipe]:
        first, scenes = int(self.settings["first"]), int(self.settings["scenes"])
        recipes = map(self._recipe, range(first, first + scenes))
        return {recipe.name: recipe for recipe in recipes}

    def _recipe(self, index: int) -> Recipe:
        world = int(self.settings["world"]) + index % int(self.settings["worlds"])
        return Recipe(
            world=world,
            index=index,
            size=int(self.settings["size"]),
            texture_link=bool(self.settings["texture_link"]),
            spectra=cast(Spectra, self.settings["spectra"]),
            exposure=draw_exposure(self._exposures, world, index),
        )

    def names(self) -> list[str]:
        """List the scenes, sorted by name."""
        return sorted(self._recipes)

    def open(self, name: str) -> Scene:
        """Open one scene; its pixels are made when they are first read.

        Raises
        ------
        UsageError
            If these options describe no scene of that name.
        """
        recipe = self._recipes.get(name)
        if recipe is None:
            raise UsageError(f"synthetic has no scene {name!r} with these options; {nearest(name, self._recipes)}")
        counts = partial(_counts, recipe) if self._kept else cache(partial(_made, recipe))  # while the scene is used
        return Scene(
            name=name,
            shape=_shape(recipe),
            wavelengths=WAVELENGTHS,
            quantity=self.quantity,
            provenance=str(recipe),
            read=partial(_read_cube, counts),
            read_mask=partial(_read_mask, counts),
        )

    def further(self, count: int) -> "SyntheticSource":
        """Go on with these worlds after the last scene, in scenes that are made when they are opened and not kept."""
        after = int(self.settings["first"]) + int(self.settings["scenes"])
        others = SyntheticSource(None, **{**self.settings, "first": after, "scenes": count})
        others._kept = False
        return others

    def room_to_make(self, names: Sequence[str]) -> int:
        """Count the bytes of the scenes that are not in the cache folder yet."""
        shapes = [self.open(name).shape for name in names if not cached_file(self._recipes[name]).exists()]
        return 2 * sum(math.prod(shape) for shape in shapes)  # 16-bit counts

    def prepare(self, names: Sequence[str], progress: Progress = silent) -> None:
        """Make the scenes that are not in the cache folder yet."""
        for done, name in enumerate(names):
            progress(done / len(names), name)
            self.open(name)
            _counts(self._recipes[name])
        progress(1.0, f"{len(names)} scenes are ready")


def cached_file(recipe: Recipe) -> Path:
    """Say where the counts of a scene are kept."""
    return cache_folder() / SYNTHETIC / recipe.folder / f"{recipe.name}.npy"


def _shape(recipe: Recipe) -> tuple[int, int, int]:
    return recipe.size, recipe.size, WAVELENGTHS.size


def _counts(recipe: Recipe) -> Counts:
    """Map the counts of a scene into memory, making them where they are missing or damaged."""
    path = cached_file(recipe)
    counts = stored_array(path, _shape(recipe), np.uint16)
    if counts is None:
        made = _made(recipe)
        write_array(path, made)  # two processes may both do this: they write the same bytes
        return made
    return counts


def _made(recipe: Recipe) -> Counts:
    from specrec.datasets.synthetic.scene import make_counts

    return make_counts(recipe)


def _read_cube(read: Callable[[], Counts], window: Window | None) -> Cube:
    from specrec.datasets.synthetic.scene import FULL_SCALE

    counts = read()
    part = counts if window is None else counts[window.slices]
    return np.divide(part, np.float32(FULL_SCALE), dtype=np.float32)


def _read_mask(read: Callable[[], Counts]) -> Mask:
    return np.asarray(read().any(axis=-1))
