"""Noise of a sensor: Poisson of the photons and Gaussian of the reading, Foi et al. 2008, doi:10.1109/TIP.2008.2001399.

Linear sRGB stands in for the raw values: each pixel and channel has noise of its own, and nothing is demosaiced or
denoised after it, as a camera would.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

READING = 0.1
"""The standard deviation of the reading, as a part of that of the whole at white."""


def noisy(linear: ArrayLike, level: float, seed: int) -> NDArray[np.float32]:
    """Add noise of the variance a v + b at the value v.

    Parameters
    ----------
    linear
        (height, width, 3). A negative value, of a colour outside sRGB, has the noise of 0.
    level
        Standard deviation at white: b = (0.1 level)^2, a = level^2 - b. So 0.01 is that of about 10,000 photoelectrons
        at white, and each factor of 4 in ISO speed doubles it.
    seed
        Of this scene.

    Returns
    -------
    (height, width, 3) float32, not clipped: encoding clips, as a sensor does.
    """
    values = np.asarray(linear, dtype=np.float64)
    reading = READING * level
    gain = level**2 - reading**2
    rng = np.random.default_rng(seed)
    counted = gain * rng.poisson(np.maximum(values, 0.0) / gain)
    return (counted + np.minimum(values, 0.0) + rng.normal(0.0, reading, values.shape)).astype(np.float32)
