"""What `filterbank` learns: the axes that tell spectra apart, prototypes along them, and a linear map around each."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SMALLEST = 1e-4  # of a descriptor's variance, added within classes: one that never changes says nothing


def clusters(values: Floats, count: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.intp]]:
    """Group rows (n, d) by k-means: centres (at most `count`, d), and the centre of each row.

    References
    ----------
    Sculley 2010, Web-scale k-means clustering, doi:10.1145/1772690.1772862.
    """
    from sklearn.cluster import MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    distinct = len(np.unique(values, axis=0))
    means = MiniBatchKMeans(
        min(count, distinct), batch_size=4096, max_iter=30, n_init=1, random_state=int(rng.integers(1 << 31))
    )
    with threadpool_limits(1):  # several threads may add up in another order
        found = means.fit(values)
    return np.asarray(found.cluster_centers_, dtype=np.float64), np.asarray(found.labels_, dtype=np.intp)


def discriminants(descriptors: Floats, classes: NDArray[np.intp], count: int) -> tuple[Floats, Floats]:
    """Find the axes along which classes lie far apart compared with their own spread (Fisher's discriminants).

    Parameters
    ----------
    descriptors
        (n, d).
    classes
        (n,) from 0.
    count
        How many axes; at most d.

    Returns
    -------
    Axes (d, count), best first, and the projection of the mean on them (count,). Along each axis the mean variance
    within the classes is 1, so that distances are in units of it.

    References
    ----------
    Fisher 1936, doi:10.1111/j.1469-1809.1936.tb02137.x; for many classes Rao 1948,
    doi:10.1111/j.2517-6161.1948.tb00008.x.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [0.0, 1.0], [2.0, 0.0], [2.0, 1.0]])
    >>> values = np.concatenate([square, square + [10.0, 0.0]])
    >>> axes, origin = discriminants(values, np.repeat([0, 1], 4), 1)
    >>> np.abs(axes).round(2).tolist(), np.abs(origin).round(2).tolist()
    ([[1.0], [0.0]], [5.99])
    """
    from scipy.linalg import eigh

    middle = descriptors.mean(axis=0)
    spread = descriptors.std(axis=0)
    unit = np.where(spread > 0.0, spread, 1.0)
    values = (descriptors - middle) / unit
    sizes = np.bincount(classes)
    means = np.stack([np.bincount(classes, column) for column in values.T], axis=1)
    means /= np.maximum(sizes, 1)[:, np.newaxis]
    between = (means * sizes[:, np.newaxis]).T @ means / len(values)
    within = values.T @ values / len(values) - between + _SMALLEST * np.eye(values.shape[1])
    directions = eigh(between, within)[1][:, ::-1][:, :count]
    axes = np.ascontiguousarray(directions / unit[:, np.newaxis])
    return axes, middle @ axes


def local_maps(
    points: Floats, targets: Floats, weights: Floats, prototypes: Floats, neighbours: int, ridge: float
) -> Floats:
    """Regress targets on points around every prototype.

    Parameters
    ----------
    points, targets, weights
        (n, m), (n, bands) and (n,), not negative.
    prototypes
        (K, m).
    neighbours
        How many of the nearest points each regression sees.
    ridge
        Penalty on the slopes, as a variance that is added to that of the neighbours.

    Returns
    -------
    (K, 1 + m, bands): the constant and the slopes.
    """
    from scipy.spatial import cKDTree

    count = min(neighbours, len(points))
    places = cKDTree(points).query(prototypes, k=np.arange(1, count + 1))[1]
    maps = np.empty((len(prototypes), 1 + points.shape[1], targets.shape[1]))
    for number, near in enumerate(places):
        total = weights[near].sum()
        share = (weights[near] / total if total > 0.0 else np.full(count, 1.0 / count))[:, np.newaxis]
        middle, mean = (share * points[near]).sum(axis=0), (share * targets[near]).sum(axis=0)
        apart = points[near] - middle
        covariance = (share * apart).T @ apart + ridge * np.eye(points.shape[1])
        slopes = np.linalg.solve(covariance, (share * apart).T @ (targets[near] - mean))
        maps[number, 0], maps[number, 1:] = mean - middle @ slopes, slopes
    return maps
