"""The files that the pages presume: photos, cubes, data sets in the layouts of their makers; all synthetic and small.

`PRESUMED` says by the word that a command writes what is to lie there. A file is made just before a command that names
it, unless an earlier command of the page has made it.
"""

import shutil
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import scipy.io
from numpy.typing import NDArray
from PIL import Image
from shown_commands import ROOT

from specrec.cubes import write_cube
from specrec.datasets.synthetic.source import SyntheticSource
from specrec.spectra import WAVELENGTHS

SCENES = 4
"""Of the data sets: two folds of two."""


@cache
def _cube(index: int = 0, size: int = 256) -> NDArray[np.float32]:
    """A synthetic scene, (size, size, 31), its greatest value 1."""
    source = SyntheticSource(scenes=SCENES, size=size, world=5)
    cube = source.open(source.names()[index]).cube()
    return cube / cube.max()


def _photo(path: Path) -> None:
    colours = _cube(size=48)[..., [24, 15, 5]]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((255 * colours).astype(np.uint8)).save(path)


def _photos(folder: Path) -> None:
    _photo(folder / "image.png")
    _photo(folder / "leaf.jpg")


def _archive(pattern: Path) -> None:
    _photo(pattern.parents[1] / "2019" / "spring" / "tree.tif")


def _jpegs(pattern: Path) -> None:
    _photo(pattern.parent / "one.jpg")
    _photo(pattern.parent / "two.jpg")


def _cube_file(path: Path, noise: float = 0.0) -> None:
    cube = _cube(size=48)
    grain = np.random.default_rng(0).normal(0.0, noise, cube.shape) if noise else 0.0
    write_cube(path, np.clip(cube + grain, 0, 1).astype(np.float32), WAVELENGTHS, {"quantity": "radiance"})


def _cave(folder: Path) -> None:
    """Bands of 16 bits, as CAVE has them."""
    for index in range(SCENES):
        scene = folder / f"scene{index}_ms"
        scene.mkdir(parents=True)
        for band in range(31):
            counts = np.rint(65535 * _cube(index)[..., band]).astype(np.uint16)
            Image.fromarray(counts).save(scene / f"scene{index}_ms_{band + 1:02}.png")


def _icvl(folder: Path) -> None:
    """Files of the site's layout, MATLAB v7.3."""
    folder.mkdir(parents=True)
    for index in range(SCENES):
        write_cube(folder / f"BGU_{index}.mat", _cube(index), WAVELENGTHS, {"quantity": "radiance"})


def _lists(folder: Path) -> None:
    """Two folds of the scenes of `_icvl`, as the authors publish theirs."""
    folder.mkdir(parents=True)
    halves = ["BGU_0.mat\nBGU_1.mat\n", "BGU_2.mat\nBGU_3.mat\n"]
    for fold in (0, 1):
        (folder / f"test{fold}.csv").write_text(halves[fold])
        (folder / f"train{fold}.csv").write_text(halves[1 - fold])


def _matlab(path: Path, key: str, bands: int, others: dict[str, NDArray[np.float64]] | None = None) -> None:
    scipy.io.savemat(path, {key: np.random.default_rng(0).random((12, 16, bands)), **(others or {})})


def _upright_rad(path: Path) -> None:
    scipy.io.savemat(path, {"rad": 4095 * _cube(size=48).astype(np.float64), "bands": WAVELENGTHS})


def _envi_counts(path: Path) -> None:
    """A header and counts of 519 bands, as the originals of ICVL."""
    wavelengths = np.linspace(390.0, 1043.0, 519)
    counts = np.random.default_rng(0).integers(0, 4096, (6, 519, 8), dtype="<u2")  # bil
    path.with_suffix(".raw").write_bytes(counts.tobytes())
    path.write_text(
        "ENVI\nsamples = 8\nlines = 6\nbands = 519\nheader offset = 0\ndata type = 12\ninterleave = bil\n"
        f"byte order = 0\nwavelength = {{{', '.join(f'{value:.3f}' for value in wavelengths)}}}\n"
    )


def _bands(path: Path) -> None:
    path.write_text("\n".join(f"{value:.1f}" for value in np.linspace(450.0, 650.0, 28)))


def copy_sources(folder: Path) -> None:
    """Make a folder that of the repository, for its scripts and ``pip install .``: a copy, since some of them write."""
    for name in ("benchmarks", "docs", "plugins", "specrec"):
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)


PRESUMED: dict[str, Callable[[Path], None]] = {
    "image.png": _photo,
    "photo.png": _photo,
    "extra.png": _photo,
    "huge.jpg": _photo,
    "photos": _photos,
    "*.jpg": _jpegs,
    "archive/**/*.tif": _archive,
    "cube.h5": _cube_file,
    "leaf.h5": _cube_file,
    "truth.h5": _cube_file,
    "measured.hdr": _cube_file,
    "gan.h5": partial(_cube_file, noise=0.01),
    "arad.h5": partial(_cube_file, noise=0.02),
    **{f"photo.{suffix}": _cube_file for suffix in ("h5", "mat", "hdr", "nc", "npy")},
    "path/to/cave": _cave,
    "path/to/icvl": _icvl,
    "path/to/lists": _lists,
    "cube.mat": partial(_matlab, key="reflectances", bands=33),
    "imgd3.mat": partial(_matlab, key="ref", bands=31, others={"lbl": np.ones((12, 16))}),
    "scene4.mat": partial(_matlab, key="reflectances", bands=33),
    "ARAD_1K_0001.mat": partial(_matlab, key="cube", bands=31, others={"bands": WAVELENGTHS}),
    "BGU_0522.mat": _cube_file,
    "BGU_HS_00001.mat": _upright_rad,
    "scene.hdr": _cube_file,
    "BGU_0403.hdr": _envi_counts,
    "scene01.mat": partial(_matlab, key="img", bands=28),
    "bands.txt": _bands,
    "my.mat": partial(_matlab, key="spectra", bands=57),
}
