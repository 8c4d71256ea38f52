"""`rbf`: a network of radial basis functions on white-balanced RGB (Nguyen, Prasad and Brown 2014)."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Parameter, Settings, Value
from specrec.per_pixel import PerPixelReconstructor, Rows
from specrec.rendering import decode_srgb
from specrec.scenes import Image, TrainingScene, check_image
from specrec.spectra import Cube
from specrec_classical.fitted import checked
from specrec_classical.gaussians import gaussians
from specrec_classical.shades_of_grey import shade_of_grey
from specrec_classical.validation import draw, number_or_auto

Matrix = NDArray[np.float64]

RIDGES = tuple(float(f"1e{power}") for power in range(-10, -1))
"""What ``ridge=auto`` chooses from."""

_TOLD_APART = 1e-2  # of the largest singular value: below, the lights of the scenes do not differ in that direction


class Rbf(PerPixelReconstructor):
    """Gaussians around the k-means centres of the white-balanced training colours, weighted, plus a constant.

    The colour of the light is estimated by shades of grey: of all training pixels together, so that a pixel's estimate
    depends on its own colour alone, or of each image (``white_balance=image``). In the second case the network learns
    spectra divided by the light of their scene, and what it estimates is multiplied by the light of the image.
    """

    name: ClassVar[str] = "rbf"
    summary: ClassVar[str] = "radial basis functions on white-balanced RGB, k-means centres"
    reference: ClassVar[str] = (
        "Nguyen, Prasad and Brown 2014, Training-based spectral reconstruction from a single RGB image, "
        "doi:10.1007/978-3-319-10584-0_13"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "white_balance": Parameter("training", "by the grey of what", ("training", "image", "none")),
        "centres": Parameter(45, "radial basis functions", minimum=1, maximum=1000),
        "ridge": Parameter("auto", "squared weights against the mean squared error; auto: by validation"),
        "pixels_per_scene": Parameter(1000, "training pixels drawn from each scene", minimum=1),
    }
    trials: ClassVar[tuple[Settings, ...]] = (
        {"centres": 10, "pixels_per_scene": 100},
        {"centres": 10, "pixels_per_scene": 100, "white_balance": "image"},
    )
    block: ClassVar[int] = 1 << 12  # 45 functions of them are 1.5 MB
    whole_blocks: ClassVar[bool] = True  # a matrix product rounds differently for another number of rows

    light_: Matrix
    """(3,): what linear RGB is divided by; of an image's own light where that balances."""
    centres_: Matrix
    """(k, 3)."""
    weights_: Matrix
    """(k + 1, bands); the last are the constants."""
    width_: float
    """Of every Gaussian: the largest distance between centres over sqrt(2 k)."""
    ridge_: float
    """As given or chosen."""
    lights_: Matrix
    """(3, bands): from the colour of a light to its spectrum; zero unless the image balances."""

    def __init__(self, **given: Value) -> None:
        super().__init__(**given)
        ridge = number_or_auto("rbf[ridge]", self.settings["ridge"])
        self._ridges = RIDGES if ridge is None else (ridge,)
        self._by_image = self.settings["white_balance"] == "image"

    @property
    def receptive_field(self) -> int | None:
        """One pixel; the whole image where it is balanced by its own light."""
        return None if self._by_image else 1

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Draw pixels, balance them, place the centres, and solve for the weights."""
        rng = np.random.default_rng(context.seed)
        drawn = draw(scenes, int(self.settings["pixels_per_scene"]), rng, context)
        colours, spectra = decode_srgb(drawn.colours), drawn.spectra
        self.light_, self.lights_ = np.ones(3), np.zeros((3, spectra.shape[1]))
        if self._by_image:
            shades, light_spectra = _lights(scenes)
            self.lights_ = np.linalg.lstsq(shades, light_spectra, rcond=_TOLD_APART)[0]
            of_scene = np.repeat(np.arange(len(scenes)), drawn.per_scene)
            colours, spectra = colours / shades[of_scene], spectra / light_spectra[of_scene]
        elif self.settings["white_balance"] == "training":
            self.light_ = shade_of_grey(colours)
            colours = colours / self.light_
        context.progress(0.8, "placing centres")
        self.centres_ = _centres(colours, int(self.settings["centres"]), context.seed)
        self.width_ = _width(self.centres_)
        context.progress(0.9, "solving")
        functions = self._functions(colours)
        self.ridge_ = self._choose(functions, spectra, drawn.held)
        self.weights_ = _solve(functions, spectra, self.ridge_)
        self.history_ = []
        context.progress(1.0, f"ridge {self.ridge_:g}")
        return self

    def reconstruct(self, rgb: Image) -> Cube:
        """Estimate the cube of an image, balanced by its own light if that was asked for."""
        if not self._by_image:
            return super().reconstruct(rgb)
        self.check_fitted()
        check_image(np.asarray(rgb))
        balancing = copy(self)  # with the light known, a pixel's estimate depends on its colour alone
        balancing.light_ = shade_of_grey(decode_srgb(rgb).reshape(-1, 3))
        cube = super(Rbf, balancing).reconstruct(rgb)
        cube *= (balancing.light_ @ self.lights_).astype(np.float32)
        return cube

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Add up the weighted functions at colours (n, 3), under the light that is known."""
        self.check_fitted()
        return (self._functions(decode_srgb(colours) / self.light_) @ self.weights_).astype(np.float32)

    @property
    def operations(self) -> float:
        """Balancing, five products for the exponent of every function, and one of each with every band."""
        self.check_fitted()
        functions, bands = self.weights_.shape
        by_the_light = 3 + bands if self._by_image else 0
        return float(3 + 6 + 10 * (functions - 1) + 2 * functions * bands + by_the_light)

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return lights, centres and weights, float64, and the width and the ridge."""
        self.check_fitted()
        arrays: Arrays = {"light": self.light_, "centres": self.centres_, "weights": self.weights_}
        if self._by_image:
            arrays["lights"] = self.lights_
        return arrays, {"width": self.width_, "ridge": self.ridge_}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """Build the fitted method from its lights, centres and weights."""
        method = cls(**settings)
        shapes = {"light": (3,), "centres": ("k", 3), "weights": ("functions", "bands")}
        found = checked(arrays, {**shapes, "lights": (3, "bands")} if method._by_image else shapes)
        if len(found["weights"]) != len(found["centres"]) + 1:
            raise ValueError("there must be weights of every centre and of the constant")
        method.light_, method.centres_, method.weights_ = found["light"], found["centres"], found["weights"]
        method.lights_ = found.get("lights", np.zeros((3, method.weights_.shape[1])))
        method.width_, method.ridge_ = float(config["width"]), float(config["ridge"])
        return method

    def _functions(self, colours: Matrix) -> Matrix:
        """The functions at balanced colours (n, 3), and 1: (n, k + 1)."""
        return np.hstack([gaussians(colours, self.centres_, self.width_), np.ones((len(colours), 1))])

    def _choose(self, functions: Matrix, spectra: Matrix, held: NDArray[np.bool_]) -> float:
        if len(self._ridges) == 1 or not held.any():
            return self._ridges[len(self._ridges) // 2]
        fits = [_solve(functions[~held], spectra[~held], ridge) for ridge in self._ridges]
        errors = [np.square(functions[held] @ weights - spectra[held]).mean() for weights in fits]
        return self._ridges[int(np.argmin(errors))]


def _centres(colours: Matrix, count: int, seed: int) -> Matrix:
    """Place k-means centres among colours (n, 3); where there are no more distinct ones than centres, those."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    distinct = np.unique(colours, axis=0)
    if len(distinct) <= count:
        return distinct
    with threadpool_limits(1):  # its sums depend on the number of threads
        found = KMeans(count, n_init=1, random_state=seed).fit(colours)
    return np.asarray(found.cluster_centers_, dtype=np.float64)


def _width(centres: Matrix) -> float:
    from scipy.spatial.distance import pdist

    return float(pdist(centres).max() / np.sqrt(2.0 * len(centres))) if len(centres) > 1 else 1.0


def _solve(functions: Matrix, spectra: Matrix, ridge: float) -> Matrix:
    """Minimise the mean squared error plus `ridge` times the squared weights; the constant costs nothing."""
    size = functions.shape[1]
    triangle = np.linalg.qr(np.hstack([functions, spectra]), mode="r")  # as good as all rows, and short
    damping = np.sqrt(ridge * len(functions)) * np.eye(size)
    damping[-1, -1] = 0.0
    rows = np.vstack([triangle[:, :size], damping])
    targets = np.vstack([triangle[:, size:], np.zeros((size, spectra.shape[1]))])
    return np.linalg.lstsq(rows, targets, rcond=None)[0]


def _lights(scenes: Sequence[TrainingScene]) -> tuple[Matrix, Matrix]:
    """Shades of grey of every scene: of its linear RGB (n, 3), and of the bands of its cube (n, bands)."""
    shades, spectra = [], []
    for scene in scenes:
        cube = scene.cube()
        shades.append(shade_of_grey(decode_srgb(scene.rgb_of(cube)[scene.mask])))
        spectra.append(shade_of_grey(cube[scene.mask]))
    return np.stack(shades), np.stack(spectra)
