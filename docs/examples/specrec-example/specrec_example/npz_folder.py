"""The data set `npz-folder`: a folder of .npz files, one scene each, that say their own wavelengths.

A file holds the arrays ``cube``, (height, width, bands), ``wavelengths``, (bands,) in nm, and where some pixels are not
valid ``mask``, bool (height, width). `numpy.savez` and `numpy.savez_compressed` write such files.
"""

import zipfile
import zlib
from functools import partial
from typing import ClassVar

import numpy as np
from specrec import Parameter, Scene, SceneSource
from specrec.errors import DataError, UsageError

DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


class NpzFolder(SceneSource):
    """The .npz files of one folder, by the stems of their names."""

    name = "npz-folder"
    summary = "a folder of .npz files with cube, wavelengths and mask"
    reference = "specrec's example of a plugin, 2026"
    quantity: ClassVar = "reflectance"
    parameters: ClassVar = {
        "ending": Parameter("", "only scenes whose names end so; empty: all"),
    }
    path_variable = "SPECREC_NPZ_FOLDER"

    def names(self):
        """List the stems of the files, sorted."""
        if self.path is None or not self.path.is_dir():
            raise UsageError(f"{self.path} is no folder; the data set {self.name!r} expects one with .npz files")
        found = sorted(path.stem for path in self.path.glob("*.npz") if path.stem.endswith(self.settings["ending"]))
        if not found:
            raise UsageError(f"{self.path} holds no such .npz files as the data set {self.name!r} expects")
        return found

    def open(self, name):
        """Open a scene: the cube's header and the wavelengths are read, the cube is not."""
        (path,) = self.files(name)
        try:
            with zipfile.ZipFile(path) as archive:
                has_mask = "mask.npy" in archive.namelist()
                shape = _shape(archive, "cube.npy")
            wavelengths = np.array(_array(path, "wavelengths"), dtype=np.float64)
        except DAMAGED as error:
            raise DataError(f"{path} is not a whole .npz file with cube and wavelengths: {error}") from None
        if len(shape) != 3 or wavelengths.shape != shape[2:]:
            raise DataError(f"{path}: a cube of shape {shape} does not go with {wavelengths.size} wavelengths")
        return Scene(
            name=name,
            shape=shape,
            wavelengths=wavelengths,
            quantity=self.quantity,
            provenance=str(path),
            read=partial(_read, path),
            read_mask=partial(_read_mask, path, shape) if has_mask else None,
        )

    def files(self, name):
        """List the one file of a scene."""
        if name not in self.names():
            raise UsageError(f"{self.path} has no scene {name!r}; specrec data verify lists those it has")
        return [self.path / f"{name}.npz"]


def _shape(archive, member):
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        return read_header[version](file)[0]


def _array(path, name):
    with np.load(path) as arrays:
        return arrays[name]


def _read(path, window):
    try:
        cube = _array(path, "cube")
    except DAMAGED as error:
        raise DataError(f"{path}: its cube cannot be read: {error}") from None
    return np.array(cube if window is None else cube[window.slices], dtype=np.float32)


def _read_mask(path, shape):
    mask = _array(path, "mask")
    if mask.dtype != np.bool_ or mask.shape != shape[:2]:
        raise DataError(f"{path}: a mask is bool of shape {shape[:2]}, this one {mask.dtype} of shape {mask.shape}")
    return mask
