"""A folder of specrec's own .h5 cubes as a data set; each file says its wavelengths, quantity and mask."""

from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar, Literal

from specrec.datasets import folder_of, no_such_scene
from specrec.errors import UsageError
from specrec.interfaces import SceneSource
from specrec.scenes import Scene

_EXPECTED = "specrec's own .h5 cubes"


class FolderSource(SceneSource):
    """The .h5 cubes of one folder, by the stems of their names."""

    name = "folder"
    summary = "a folder of specrec's own .h5 cubes"
    quantity: ClassVar[Literal["radiance", "reflectance"]] = "reflectance"  # each scene says its own
    path_variable = "SPECREC_FOLDER"

    def names(self) -> list[str]:
        """List the stems of the .h5 files, sorted."""
        return sorted(self._files)

    def open(self, name: str) -> Scene:
        """Open one scene; only the header of its file is read.

        Raises
        ------
        DataError
            If the file is damaged, or no cube file of specrec.
        """
        from specrec.cubes import hdf5

        [path] = self.files(name)
        header = hdf5.read_header(path)
        return Scene(
            name=name,
            shape=header.shape,
            wavelengths=header.wavelengths,
            quantity=header.quantity,
            provenance=str(path),
            read=partial(hdf5.read_window, path),
            read_mask=partial(hdf5.read_mask, path) if header.has_mask else None,
        )

    def files(self, name: str) -> list[Path]:
        """List the one file of a scene."""
        if name not in self._files:
            raise no_such_scene(self, name)
        return [self._files[name]]

    @cached_property
    def _files(self) -> dict[str, Path]:
        root = folder_of(self, _EXPECTED)
        visible = (path for path in sorted(root.iterdir()) if not path.name.startswith("."))
        found = {path.stem: path for path in visible if path.suffix.lower() == ".h5" and path.is_file()}
        if not found:
            raise UsageError(f"{root} holds no scenes of the data set 'folder', which expects {_EXPECTED}")
        return found
