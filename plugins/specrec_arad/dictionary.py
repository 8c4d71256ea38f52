"""The two dictionaries: spectral atoms, drawn or learnt by SPAMS, and the colours a camera makes of them.

This is the only module that imports SPAMS, and only while it learns: SPAMS is GPL-3, everything else runs without it.
"""

import ctypes
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError, PluginError
from specrec.rendering import xyz_weights

Floats = NDArray[np.float64]


def usable_spectra(spectra: NDArray[np.floating], atoms: int) -> Floats:
    """Return the training pixels (n, bands) that are not zero in every band, float64.

    Raises
    ------
    DataError
        If they are fewer than `atoms`.
    """
    values = np.asarray(spectra, dtype=np.float64)
    values = values[values.any(axis=1)]
    if len(values) < atoms:
        raise DataError(
            f"arad needs at least as many training pixels that are not black as atoms, here {len(values)} for {atoms}; "
            f"train on more scenes, raise pixels_per_scene or lower atoms"
        )
    return values


def draw_atoms(spectra: Floats, atoms: int, rng: np.random.Generator) -> Floats:
    """Draw different training pixels and scale them to unit length: where every learning starts, or all there is.

    Parameters
    ----------
    spectra
        (n, bands), none zero in every band.
    atoms
        How many, at most n.
    rng
        Chooses the pixels. It is the only randomness: the same pixels and the same state give the same atoms.

    Returns
    -------
    (atoms, bands) float64.
    """
    drawn = spectra[rng.choice(len(spectra), size=atoms, replace=False)]
    unit: Floats = drawn / np.sqrt((drawn * drawn).sum(axis=1, keepdims=True))
    return unit


def learn_with_spams(spectra: Floats, initial: Floats, *, sparsity: int, iterations: int, batch: int) -> Floats:
    """Learn spectral atoms with SPAMS' online dictionary learning; the same arguments give the same atoms to the bit.

    Parameters
    ----------
    spectra
        (n, bands) training pixels.
    initial
        (atoms, bands), each of unit length: where it starts.
    sparsity
        At most this many atoms in the code of a training pixel.
    iterations
        Passes over the training pixels.
    batch
        Pixels per update.

    Returns
    -------
    (atoms, bands) float64, each at most of unit length.

    Raises
    ------
    DataError
        If the learning fails.

    References
    ----------
    Mairal, J., Bach, F., Ponce, J. and Sapiro, G. (2010), "Online learning for matrix factorization and sparse coding",
    Journal of Machine Learning Research 11, 19-60.
    """
    # SPAMS keeps one signal per column, columns contiguous
    signals, start = np.asfortranarray(spectra.T), np.asfortranarray(initial.T)
    learnt = _train(signals, start, sparsity, math.ceil(iterations * len(spectra) / batch), batch)
    if not np.isfinite(learnt).all():
        raise DataError("SPAMS gave a dictionary with NaN or infinity; train on other scenes or with fewer atoms")
    return np.ascontiguousarray(learnt.T)


def pair_with_colours(spectral_atoms: Floats) -> tuple[Floats, Floats]:
    """Give every spectral atom its colour, and both the scale at which the colour has unit length.

    Parameters
    ----------
    spectral_atoms
        (K, 31), 400 to 700 nm.

    Returns
    -------
    The scaled spectral atoms (K, 31), and their colours (K, 3): XYZ/100 under the CIE 1964 observer, of unit length. An
    atom that the observer cannot see has the colour 0 and is 0: no code ever takes it.

    Examples
    --------
    >>> spectra, colours = pair_with_colours(np.stack([np.full(31, 0.2), np.zeros(31)]))
    >>> colours.round(4).tolist()
    [[0.5772, 0.5776, 0.5772], [0.0, 0.0, 0.0]]
    >>> spectra[:, 0].round(4).tolist()
    [0.5776, 0.0]
    """
    weights = xyz_weights() / 100.0
    # no matrix product: the sums are the same with every BLAS
    colours = (spectral_atoms[:, :, np.newaxis] * weights).sum(axis=1)
    lengths = np.sqrt((colours * colours).sum(axis=1, keepdims=True))
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0.0)
    return spectral_atoms * scale, colours * scale


def _train(signals: Floats, initial: Floats, sparsity: int, updates: int, batch: int) -> Floats:
    try:
        import spams
    except ImportError as error:  # it is there, as the registry has seen, and broken
        raise PluginError(
            f"arad cannot learn: SPAMS is installed and does not import ({error}); install spams-bin again, or take"
            " training pixels as atoms (atoms=random) or K-SVD (learning=ksvd)"
        ) from None
    from threadpoolctl import threadpool_limits

    # more threads were slower in every trial, and might add up in another order
    with threadpool_limits(1), _standard_output_closed():
        learnt = spams.trainDL(
            signals,
            D=initial,
            mode=3,  # at most lambda1 atoms per signal
            lambda1=min(sparsity, *initial.shape),  # SPAMS does not check, and writes beyond its arrays
            batchsize=batch,
            iter=updates,
            numThreads=1,
            verbose=False,
        )
    return np.asarray(learnt, dtype=np.float64)


@contextmanager
def _standard_output_closed() -> Iterator[None]:
    """Keep what compiled code prints away from standard output, where only results belong."""
    _flush()  # what was printed before is printed
    try:
        kept = os.dup(1)
    except OSError:  # there is no standard output, as in a service
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        _flush()  # else what is still held back would come out after this block
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _flush() -> None:
    """Write out what Python and the C library hold back of standard output."""
    if sys.stdout is not None:
        sys.stdout.flush()
    with suppress(OSError, AttributeError):  # a C library of another name: its text then comes out late
        ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None).fflush(None)
