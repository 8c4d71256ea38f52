"""A folder of cube files as a data set; each file says its wavelengths, quantity and mask.

Any file that `specrec.cubes.open_cube` reads and that names its quantity serves: specrec's own .h5, ENVI (.hdr),
NetCDF, and the MATLAB layouts that are known by their keys. Pictures and bare arrays (.tif, .npy) are passed by, since
folders hold them for other reasons.
"""

from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar, Literal, cast

import numpy as np

from specrec.datasets import folder_of, no_such_scene
from specrec.errors import DataError, UsageError
from specrec.interfaces import SceneSource
from specrec.scenes import Mask, Quantity, Scene, Window
from specrec.spectra import Cube

SUFFIXES = (".h5", ".hdf5", ".mat", ".hdr", ".nc")
_EXPECTED = f"cube files ({', '.join(SUFFIXES)})"


class FolderSource(SceneSource):
    """The cube files of one folder, by the stems of their names."""

    name = "folder"
    summary = "a folder of cube files: specrec's own .h5, ENVI, NetCDF, known MATLAB layouts"
    quantity: ClassVar[Literal["radiance", "reflectance"]] = "reflectance"  # each scene says its own
    path_variable = "SPECREC_FOLDER"

    def names(self) -> list[str]:
        """List the stems of the files, sorted."""
        return sorted(self._files)

    def open(self, name: str) -> Scene:
        """Open one scene; only the header of its file is read.

        Raises
        ------
        DataError
            If the file is damaged, no cube, or says no quantity or wavelengths.
        """
        from specrec.cubes import open_cube

        path = self._path(name)
        with open_cube(path) as stored:
            quantity = stored.attributes.get("quantity")
            if quantity is None:
                raise DataError(
                    f"{path} does not say whether it is radiance or reflectance; convert it"
                    f" (specrec convert {path.name} NEW.h5 --quantity reflectance)"
                )
            return Scene(
                name=name,
                shape=stored.shape,
                wavelengths=stored.wavelengths,
                quantity=cast(Quantity, quantity),
                provenance=str(path),
                read=partial(_read, path),
                read_mask=partial(_read_mask, path),
            )

    def files(self, name: str) -> list[Path]:
        """List the one file of a scene; for ENVI the header and the data beside it."""
        path = self._path(name)
        if path.suffix.lower() != ".hdr":
            return [path]
        from specrec.cubes.envi import data_files

        return [path, *data_files(path)]

    def _path(self, name: str) -> Path:
        if name not in self._files:
            raise no_such_scene(self, name)
        return self._files[name]

    @cached_property
    def _files(self) -> dict[str, Path]:
        root = folder_of(self, _EXPECTED)
        found: dict[str, Path] = {}
        for path in sorted(root.iterdir()):
            if path.name.startswith(".") or path.suffix.lower() not in SUFFIXES or not path.is_file():
                continue
            if path.stem in found:
                raise UsageError(f"{found[path.stem]} and {path.name} are one scene by their names; rename one of them")
            found[path.stem] = path
        if not found:
            raise UsageError(f"{root} holds no scenes of the data set 'folder', which expects {_EXPECTED}")
        return found


def _read(path: Path, window: Window | None) -> Cube:
    from specrec.cubes import open_cube

    with open_cube(path) as stored:  # opened each time: an unpacked file is not kept while others are read
        return stored.read(window)


def _read_mask(path: Path) -> Mask:
    from specrec.cubes import open_cube

    with open_cube(path) as stored:
        return np.ones(stored.shape[:2], dtype=np.bool_) if stored.mask is None else stored.mask
