"""CAVE: 32 reflectance scenes as 31 greyscale PNGs each, 400 to 700 nm.

A scene is a folder with ``<scene>_ms_01.png`` (400 nm) to ``<scene>_ms_31.png`` (700 nm), either directly under the
root or one folder deeper, as the original archive unpacks. Files with other names are ignored. Bands are 16-bit grey;
the scene `watercolors` has 8-bit RGBA with equal colours. Each is divided by its own full scale, 65535 or 255.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specrec.datasets import folder_of, no_such_scene
from specrec.errors import DataError, UsageError
from specrec.images import PngHeader, load_picture, read_png_header
from specrec.interfaces import SceneSource
from specrec.scenes import Scene, Window
from specrec.spectra import WAVELENGTHS, Cube
from specrec.untrusted import check_unpacked

_BANDS = range(1, 32)
_BAND_FILE = re.compile(r"(?P<scene>[^.].*)_ms_(?P<band>[0-9]{2})\.png", re.IGNORECASE)
_EXPECTED = "folders <scene>_ms with <scene>_ms_01.png to _31.png"
_READABLE = {(16, 0), (8, 0), (8, 2), (8, 4), (8, 6)}  # (bits, colour type): Pillow cuts deeper colour down to 8 bits
_DECODED_SCENES = 2  # of 16 MB for 512 x 512; enough for many windows of one scene


class CaveSource(SceneSource):
    """The CAVE multispectral images."""

    name = "cave"
    summary = "CAVE: reflectance of objects on a dark table, 400-700 nm, 16-bit PNGs"
    reference = "Yasuma, Mitsunaga, Iso and Nayar 2008, CUCS-061-08; doi:10.1109/TIP.2010.2046811"
    quantity: ClassVar[Literal["radiance", "reflectance"]] = "reflectance"
    path_variable = "SPECREC_CAVE"

    def names(self) -> list[str]:
        """List the scenes, sorted; one that lacks bands is listed too."""
        return sorted(self._folders)

    def open(self, name: str) -> Scene:
        """Open one scene; the 31 headers are read, no pixel.

        Raises
        ------
        DataError
            If a band is missing, is no PNG of a readable kind, or has another size than the others.
        """
        files = self._bands(name)
        missing = [self._band_name(name, band) for band in _BANDS if band not in files]
        if missing:
            more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
            raise DataError(f"{name}: {self._folders[name]} lacks {', '.join(missing[:4])}{more}")
        strays = set(files) - set(_BANDS)
        if strays:
            raise DataError(f"{name}: {files[min(strays)]} is none of the bands 01 to 31")
        paths = tuple(files[band] for band in _BANDS)
        headers = [read_png_header(path) for path in paths]
        width, height = _common_size(paths, headers)
        unpacked = sum(width * height * one.depth // 8 for one in headers)
        check_unpacked(self._folders[name], "the 31 bands", unpacked, sum(path.stat().st_size for path in paths))
        return Scene(
            name=name,
            shape=(height, width, len(paths)),
            wavelengths=WAVELENGTHS,
            quantity=self.quantity,
            provenance=str(self._folders[name]),
            read=partial(_read, paths),
        )

    def files(self, name: str) -> list[Path]:
        """List the band files that are there."""
        return list(self._bands(name).values())

    @cached_property
    def _folders(self) -> dict[str, Path]:
        root = folder_of(self, _EXPECTED)
        found: dict[str, Path] = {}
        for folder in _folders_in(root):
            inside = [folder, *_folders_in(folder)]
            full = [(place, scene) for place in inside if (scene := _scene_in(place)) is not None]
            for place, scene in full:
                found.setdefault(scene, place)
            if not full and folder.name.endswith("_ms"):  # a scene without a band file: damaged, but a scene
                found.setdefault(folder.name.removesuffix("_ms"), folder)
        if not found:
            raise UsageError(f"{root} holds no scenes of the data set 'cave', which expects {_EXPECTED}")
        return found

    def _bands(self, name: str) -> dict[int, Path]:
        if name not in self._folders:
            raise no_such_scene(self, name)
        return {match.band: match.path for match in _band_files(self._folders[name]) if match.scene == name}

    @staticmethod
    def _band_name(name: str, band: int) -> str:
        return f"{name}_ms_{band:02}.png"


class _BandFile(NamedTuple):
    scene: str
    band: int
    path: Path


def _folders_in(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _band_files(folder: Path) -> Iterator[_BandFile]:
    for path in sorted(folder.iterdir()):
        match = _BAND_FILE.fullmatch(path.name)
        if match is not None:
            yield _BandFile(match["scene"], int(match["band"]), path)


def _scene_in(folder: Path) -> str | None:
    """Name the scene whose bands a folder holds: the one it is named for, or the one with most files."""
    counts = Counter(file.scene for file in _band_files(folder))
    named = folder.name.removesuffix("_ms")
    if named in counts or not counts:
        return named if counts else None
    return min(counts, key=lambda scene: (-counts[scene], scene))


def _common_size(paths: tuple[Path, ...], headers: list[PngHeader]) -> tuple[int, int]:
    usual = Counter((header.width, header.height) for header in headers).most_common(1)[0][0]
    for path, header in zip(paths, headers, strict=True):
        if (header.width, header.height) != usual or 0 in usual:
            raise DataError(
                f"{path} is {header.height} x {header.width} pixels, the scene's other bands {usual[1]} x {usual[0]}"
            )
        if (header.depth, header.colour) not in _READABLE:
            raise DataError(f"{path} is neither 16-bit grey nor 8-bit grey, RGB or RGBA; a band cannot be read from it")
    return usual


def _read(paths: tuple[Path, ...], window: Window | None) -> Cube:
    counts, full_scale = _decode(paths, _stamps(paths))
    part = counts if window is None else counts[window.slices]
    return part.astype(np.float32) / full_scale


def _stamps(paths: tuple[Path, ...]) -> tuple[int, ...]:
    """Take the times of change, so that a file replaced meanwhile is read anew."""
    try:
        return tuple(path.stat().st_mtime_ns for path in paths)
    except OSError as error:
        raise DataError(f"cannot read {error.filename}: {error.strerror}") from None


@lru_cache(maxsize=_DECODED_SCENES)
def _decode(paths: tuple[Path, ...], _stamps: tuple[int, ...]) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Decode all bands: counts (height, width, bands), and the full scale of each band."""
    bands = [_decode_band(path) for path in paths]
    full_scale = np.array([np.iinfo(band.dtype).max for band in bands], dtype=np.float32)
    return np.stack(bands, axis=-1).astype(np.uint16), full_scale


def _decode_band(path: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    values = np.asarray(load_picture(path, ("PNG",)))
    if values.ndim == 2:
        return values if values.dtype == np.uint8 else values.astype(np.uint16)  # older Pillow gives 16 bits as int32
    colours = values[..., :3] if values.shape[2] >= 3 else values[..., :1]
    if (colours != colours[..., :1]).any():
        raise DataError(f"{path} is a colour picture, not one band: its red, green and blue differ")
    return np.ascontiguousarray(colours[..., 0])
