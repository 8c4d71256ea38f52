"""The `Reconstructor` of `filterbank`: what it learns from scenes, and an image in strips of rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError, UsageError
from specrec.interfaces import Arrays, FitContext, Reconstructor
from specrec.parameters import Parameter, Settings
from specrec.rendering import RGB_TO_XYZ, decode_srgb
from specrec.scenes import Image, TrainingScene, check_image
from specrec.spectra import Cube
from specrec_classical.filterbank.texture import PER_SCALE, energies, filter_operations, reach
from specrec_classical.fitted import checked

Floats = NDArray[np.float64]

_COLOUR = 7  # descriptors: shares of the primaries, their roots, logarithm of luminance
_DARK = np.float32(0.02)  # linear; far below it a colour is mostly noise and quantisation
_FAINT = np.float32(0.003)  # energy of a response that is mostly noise
_STRIP = 1 << 17  # pixels worked on together


class Filterbank(Reconstructor):
    """A linear map of the colour, plus what similar training pixels have beside it: similar in colour and texture.

    A per-pixel method has one answer for two materials of one colour. This one tells them apart by the texture around
    a pixel, and has no network.
    """

    name: ClassVar[str] = "filterbank"
    summary: ClassVar[str] = "colour and texture-filter responses, sparse-coded; context without a network"
    reference: ClassVar[str] = (
        "after Robles-Kelly 2015, Single image spectral reconstruction for multimedia applications, "
        "doi:10.1145/2733373.2806223"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "scales": Parameter(3, "sizes of the filters, 0.7 pixels and its doubles; 0: none", minimum=0, maximum=5),
        "pool": Parameter(3.0, "pixels over which responses are averaged", minimum=0.5, maximum=32.0),
        "axes": Parameter(10, "discriminant axes of colour and texture", minimum=1, maximum=64),
        "classes": Parameter(256, "groups of training spectra that the axes tell apart", minimum=2),
        "atoms": Parameter(512, "prototypes", minimum=1),
        "sparsity": Parameter(3, "prototypes per pixel", minimum=1, maximum=64),
        "neighbours": Parameter(200, "training pixels around each prototype that its map is learnt from", minimum=1),
        "ridge": Parameter(0.5, "penalty on the slopes of these maps", minimum=1e-6),
        "pixels_per_scene": Parameter(2000, "training pixels drawn from each scene", minimum=1),
    }
    trials: ClassVar[tuple[Settings, ...]] = ({"scales": 2, "atoms": 32, "classes": 16, "pixels_per_scene": 300},)

    colours_: Floats
    """(3, bands): the linear map of the colour."""
    axes_: Floats
    """(7 + 6 x scales, m): projection of the descriptors."""
    origin_: Floats
    """(m,): projection of their mean."""
    prototypes_: Floats
    """(K, m)."""
    maps_: Floats
    """(K, 1 + m, bands): what the linear map lacks, per unit of r + g + b, around each prototype."""

    @property
    def receptive_field(self) -> int:
        """The filter and the average, on both sides: 37 by default, 1 without filters."""
        return 2 * self.halo + 1

    @property
    def halo(self) -> int:
        """As far as filter and average reach."""
        return reach(int(self.settings["scales"]), float(self.settings["pool"]))

    @property
    def bytes_per_pixel(self) -> int:
        """The cube, the image and rounding up; the strip that is worked on adds about 120 MB whatever the size."""
        return 256

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Learn map, axes and prototypes from seeded valid pixels of every scene; it uses one thread."""
        from threadpoolctl import threadpool_limits

        rng = np.random.default_rng(context.seed)
        descriptors, colours, spectra = self._sample(scenes, rng, context)
        if not colours.any():
            raise DataError("filterbank needs training pixels that are not black, and there are none")
        context.progress(0.5, f"learning from {len(spectra)} pixels")
        with threadpool_limits(1):  # several threads may add up in another order
            self._learn(descriptors, colours, spectra, rng)
        self.history_ = []
        context.progress(1.0, "done")
        return self

    def reconstruct(self, rgb: Image) -> Cube:
        """Estimate the cube of a whole image; see `Reconstructor.reconstruct`. Black gives zero.

        Raises
        ------
        ValueError
            If `rgb` is not (height, width, 3) of finite floating-point numbers.
        UsageError
            If the method is not fitted.
        """
        from specrec_classical.filterbank.coding import code, decode, positions

        self._check_fitted()
        image = np.asarray(rgb)
        check_image(image)
        height, width = image.shape[:2]
        prototypes = np.ascontiguousarray(self.prototypes_.T, dtype=np.float32)
        sparsity = min(int(self.settings["sparsity"]), len(self.prototypes_))
        cube = np.empty((height, width, self.colours_.shape[1]), dtype=np.float32)
        for rows, descriptors, (red, green, blue) in self._strips(image):
            points = positions(descriptors, self.axes_, self.origin_)
            spectra = decode(points, *code(points, prototypes, sparsity), self.maps_)
            spectra *= (red + green + blue)[:, np.newaxis]
            # sums and not a matrix product, whose rounding changes with the number of rows
            for primary, spectrum in zip((red, green, blue), self.colours_, strict=True):
                spectra += primary[:, np.newaxis] * spectrum
            cube[rows] = spectra.reshape(-1, width, cube.shape[2])
        return cube

    @property
    def operations(self) -> float:
        """Filters, projection on the axes, distances to every prototype, and the maps of the nearest."""
        self._check_fitted()
        lengths, axes = self.axes_.shape
        bands, atoms = self.colours_.shape[1], len(self.prototypes_)
        sparsity = min(int(self.settings["sparsity"]), atoms)
        filters = filter_operations(int(self.settings["scales"]), float(self.settings["pool"]))
        decoding = sparsity * (axes + 2 * bands * (1 + axes))
        return float(filters + 2 * lengths * axes + 3 * axes * atoms + decoding + 7 * bands)

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return map, axes and prototypes, float64."""
        self._check_fitted()
        return {name: getattr(self, f"{name}_") for name in ("colours", "axes", "origin", "prototypes", "maps")}, {}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:  # noqa: ARG003 - empty
        """Build the fitted method from its arrays."""
        method = cls(**settings)
        slopes = np.shape(arrays.get("prototypes"))[-1:]
        shapes = {
            "colours": (3, "bands"),
            "axes": (_COLOUR + PER_SCALE * int(method.settings["scales"]), "axes"),
            "origin": ("axes",),
            "prototypes": ("atoms", "axes"),
            "maps": ("atoms", 1 + sum(slopes), "bands"),
        }
        for name, array in checked(arrays, shapes).items():
            setattr(method, f"{name}_", array)
        return method

    def _check_fitted(self) -> None:
        if not hasattr(self, "maps_"):
            raise UsageError(f"{self.name} is not fitted; call fit or load weights first")

    def _learn(
        self, descriptors: NDArray[np.float32], colours: Floats, spectra: Floats, rng: np.random.Generator
    ) -> None:
        from specrec_classical.filterbank.coding import positions
        from specrec_classical.filterbank.learning import clusters, discriminants, local_maps

        self.colours_ = np.linalg.lstsq(colours, spectra, rcond=1e-6)[0]
        beside, brightness = spectra - colours @ self.colours_, colours.sum(axis=1, keepdims=True)
        groups = clusters(beside / (brightness + float(_DARK)), int(self.settings["classes"]), rng)[1]
        wanted = min(int(self.settings["axes"]), len(descriptors))
        self.axes_, self.origin_ = discriminants(descriptors.T.astype(np.float64), groups, wanted)
        points = positions(descriptors, self.axes_, self.origin_).astype(np.float64)
        self.prototypes_ = clusters(points, int(self.settings["atoms"]), rng)[0]
        targets = np.divide(beside, brightness, out=np.zeros_like(beside), where=brightness > 0.0)
        neighbours, ridge = int(self.settings["neighbours"]), float(self.settings["ridge"])
        # weighted like this, the regression of the ratio is one of the spectra themselves
        self.maps_ = local_maps(points, targets, np.square(brightness[:, 0]), self.prototypes_, neighbours, ridge)

    def _sample(
        self, scenes: Sequence[TrainingScene], rng: np.random.Generator, context: FitContext
    ) -> tuple[NDArray[np.float32], Floats, Floats]:
        """Draw valid pixels: descriptors (d, n), linear colours (n, 3) and spectra (n, bands)."""
        descriptors, colours, spectra = [], [], []
        for number, scene in enumerate(scenes):
            context.progress(0.5 * number / len(scenes), scene.name)
            valid = np.flatnonzero(scene.mask)
            if valid.size == 0:
                raise DataError(f"{scene.name}: no pixel of the scene is valid")
            chosen = rng.choice(valid, size=min(int(self.settings["pixels_per_scene"]), valid.size), replace=False)
            cube = scene.cube()
            image = scene.rgb_of(cube)
            width = image.shape[1]
            chosen.sort()
            for rows, described, linear in self._strips(image):
                here = chosen[(chosen >= rows.start * width) & (chosen < rows.stop * width)] - rows.start * width
                descriptors.append(described[:, here])
                colours.append(linear[:, here].T)
            spectra.append(cube.reshape(-1, cube.shape[2])[chosen])
        if not spectra:
            raise DataError("there are no scenes to draw training pixels from")
        return (
            np.concatenate(descriptors, axis=1),
            np.concatenate(colours).astype(np.float64),
            np.concatenate(spectra).astype(np.float64),
        )

    def _strips(self, image: Image) -> Iterator[tuple[slice, NDArray[np.float32], NDArray[np.float32]]]:
        """Cut an image into strips of rows: which rows, their descriptors (d, n) and linear colours (3, n)."""
        height, width = image.shape[:2]
        scales, pool, around = int(self.settings["scales"]), float(self.settings["pool"]), self.halo
        step = max(1, around, _STRIP // width)
        for top in range(0, height, step):
            rows, first = slice(top, min(height, top + step)), max(0, top - around)
            seen = np.ascontiguousarray(image[first : rows.stop + around].transpose(2, 0, 1))
            linear = decode_srgb(seen).astype(np.float32)
            luminance = np.maximum(_weighted(linear, RGB_TO_XYZ[1]), np.float32(0.0))
            signal = np.log(luminance + _DARK)
            inner = slice(top - first, rows.stop - first)
            count = (rows.stop - top) * width
            inside = linear[:, inner].reshape(3, count)
            shares = np.maximum(inside, np.float32(0.0)) / (_weighted(inside, np.ones(3)) + _DARK)
            answers = energies(signal, scales, pool)[:, inner].reshape(-1, count)
            parts = [shares, np.sqrt(shares), signal[inner].reshape(1, count), np.log(answers + _FAINT)]
            yield rows, np.concatenate(parts), inside


def _weighted(colours: NDArray[np.float32], weights: Floats) -> NDArray[np.float32]:
    """Add up the three colour planes, always in one order."""
    first, second, third = weights.astype(np.float32)
    return np.asarray(first * colours[0] + second * colours[1] + third * colours[2])
