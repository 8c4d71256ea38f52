"""ICVL: about 200 radiance scenes outdoors, one MATLAB v7.3 file each, 400 to 700 nm in 31 bands.

Values are the 12-bit counts over 4095. Sizes vary; black columns pad some images and are masked. The layout, and
how it is turned upright, is `specrec.cubes.mat`.
"""

from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar, Literal

from specrec.datasets import folder_of, no_such_scene
from specrec.errors import UsageError
from specrec.interfaces import SceneSource
from specrec.scenes import Scene

_EXPECTED = "the data set's .mat files"


class IcvlSource(SceneSource):
    """The BGU ICVL hyperspectral images, in their 31-band MATLAB files."""

    name = "icvl"
    summary = "ICVL: radiance of natural scenes, 400-700 nm, MATLAB v7.3 files"
    reference = "Arad and Ben-Shahar 2016, doi:10.1007/978-3-319-46478-7_2"
    quantity: ClassVar[Literal["radiance", "reflectance"]] = "radiance"
    path_variable = "SPECREC_ICVL"

    def names(self) -> list[str]:
        """List the scenes, sorted, in the case of their files; lists of folds often use another case."""
        return sorted(self._files)

    def open(self, name: str) -> Scene:
        """Open one scene; only the header of its file is read.

        Parameters
        ----------
        name
            In any case, with or without .mat.

        Raises
        ------
        DataError
            If the file is damaged, of another MATLAB version, or lacks a key.
        """
        from specrec.cubes import mat

        path = self._files[self.resolve(name)]
        shape, wavelengths = mat.read_header(path)
        return Scene(
            name=path.stem,
            shape=shape,
            wavelengths=wavelengths,
            quantity=self.quantity,
            provenance=str(path),
            read=partial(mat.read_window, path),
            read_mask=partial(mat.read_mask, path),
        )

    def files(self, name: str) -> list[Path]:
        """List the one file of a scene."""
        return [self._files[self.resolve(name)]]

    def resolve(self, name: str) -> str:
        """Return a scene's name as `names` spells it, from one in any case, with or without .mat."""
        stem = name[: -len(".mat")] if name.lower().endswith(".mat") else name
        if stem in self._files:
            return stem
        alike = [known for known in self._files if known.casefold() == stem.casefold()]
        if len(alike) > 1:
            raise UsageError(f"{name!r} may be {' or '.join(sorted(alike))} in {self.path}; give the case, too")
        if not alike:
            raise no_such_scene(self, name)
        return alike[0]

    @cached_property
    def _files(self) -> dict[str, Path]:
        root = folder_of(self, _EXPECTED)
        visible = (path for path in sorted(root.iterdir()) if not path.name.startswith("."))
        found = {path.stem: path for path in visible if path.suffix.lower() == ".mat" and path.is_file()}
        if not found:
            raise UsageError(f"{root} holds no scenes of the data set 'icvl', which expects {_EXPECTED}")
        return found
