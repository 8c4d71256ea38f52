"""From a photo to a cube file: tile by tile where the photo is large, examined and drawn on the way."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from specrec import weights as weight_files
from specrec.cache import check_writable
from specrec.cubes import check_form, cube_writer, stored_bytes, written_paths
from specrec.errors import UsageError
from specrec.images import MAX_PIXELS, Photo, check_absent
from specrec.interfaces import Progress, silent
from specrec.parameters import Value
from specrec.reconstruction.loading import Loaded, load_with_card
from specrec.reconstruction.outputs import Work, refuse_replacing
from specrec.reconstruction.preview import Preview, preview_path
from specrec.reconstruction.room import Room
from specrec.reconstruction.training_colours import TrainingColours
from specrec.reconstruction.trust import Examination, Trust
from specrec.rendering import srgb_to_xyz
from specrec.scenes import Image, Window
from specrec.spectra import Cube, describe_grid, is_standard_grid
from specrec.threads import available_cores, library_threads
from specrec.tiling import SeamCost, parse_tiles, stream


@dataclass(frozen=True)
class Choices:
    """How photos are read, computed and written.

    Parameters
    ----------
    weights, device
        As for `specrec.load`.
    threads
        Of the CPU; None: one for each core that this process may use.
    tiles
        As for `specrec.tiling.stream`.
    max_pixels, linear
        As for `specrec.images.read_image`.
    form, dtype
        As for `specrec.cubes.write_cube`.
    preview
        Whether to draw a PNG beside the cube, see `specrec.reconstruction.preview`.
    overwrite
        Whether existing files may be replaced.
    """

    weights: Path | None = None
    device: str = "auto"
    threads: int | None = None
    tiles: str = "auto"
    max_pixels: int = MAX_PIXELS
    linear: bool = False
    form: str | None = None
    dtype: str = "float32"
    preview: bool = False
    overwrite: bool = False

    def files(self, target: Path) -> tuple[Path, ...]:
        """List every file that is made for a photo."""
        made = written_paths(target, self.form)
        return (*made, preview_path(target)) if self.preview else made

    def check(self, works: Sequence[Work]) -> None:
        """Refuse what cannot be meant before any work: UsageError for the tiles, the form, or photos to be replaced."""
        parse_tiles(self.tiles)
        for work in works:
            check_form(work.target, self.form, self.dtype)
        refuse_replacing(works, self.files)

    def check_bands(self, loaded: Loaded) -> None:
        """Refuse a preview of bands that cannot be rendered back: UsageError."""
        if self.preview and (reason := unrendered(loaded)):
            raise UsageError(f"there can be no preview: {reason}")


def unrendered(loaded: Loaded) -> str | None:
    """Say why the estimates of a method cannot be rendered back; None where they can."""
    if is_standard_grid(loaded.wavelengths):
        return None
    return (
        f"the bands of {loaded.path}, {describe_grid(loaded.wavelengths)}, cannot be rendered back: "
        "that needs the 31 bands 400, 410, .. 700 nm"
    )


class Reconstructed(NamedTuple):
    """What `reconstruct_file` has written."""

    shape: tuple[int, int, int]
    """(height, width, bands)."""
    seams: SeamCost | None
    """With separate tiles: how far they are from the exact estimate."""
    wavelengths: tuple[float, float] = (400.0, 700.0)
    """Of the first and the last band, nm."""
    trust: Trust | None = None
    """How far the estimate can be believed; None where the bands cannot be rendered."""
    remarks: tuple[str, ...] = ()
    """What was done to the photo on reading it."""


class Workshop:
    """A loaded method with what photos of its need; one photo at a time.

    Parameters
    ----------
    loaded
        The method. Its device and threads are used as they are set.
    choices
        Of which weights, device and threads no longer count.
    share
        How many workshops share the memory.
    computing
        Entered while a tile is computed and left while photos are decoded and cubes written.
    decoding
        Entered while a photo is decoded: then the memory that is found free is not promised to two at once.
    room
        On the disk, for the cubes of all workshops.
    """

    def __init__(
        self,
        loaded: Loaded,
        choices: Choices,
        share: int = 1,
        computing: AbstractContextManager[object] | None = None,
        decoding: AbstractContextManager[object] | None = None,
        room: Room | None = None,
    ) -> None:
        self.loaded, self.choices, self.share = loaded, choices, share
        self._computing, self._decoding = computing or nullcontext(), decoding or nullcontext()
        self._room = room or Room()

    @cached_property
    def colours(self) -> TrainingColours | None:
        """The colours that the weights were trained on; None where they do not say it."""
        return TrainingColours.from_card(self.loaded.card, f"the card of {self.loaded.path}")

    @property
    def silent_about_colours(self) -> bool:
        """Whether the weights were trained, and do not say on which colours."""
        return self.colours is None and self.loaded.method.parameter_count > 0

    @cached_property
    def _attributes(self) -> dict[str, Value]:
        card = self.loaded.card
        return {
            "quantity": card.get("quantity", "radiance"),
            "units": "1",
            "scale_min": 0.0,
            "scale_max": 1.0,
            "method": self.loaded.method.name,
            "weights_sha256": weight_files.sha256(self.loaded.path),
            "rendering": card["rendering"],
            "specrec_version": version("specrec"),
        }

    def make(self, image: Path, target: Path, progress: Progress = silent) -> Reconstructed:
        """Reconstruct a photo into a cube file; see `reconstruct_file`."""
        choices, method, wavelengths = self.choices, self.loaded.method, self.loaded.wavelengths
        mode, size = parse_tiles(choices.tiles)
        check_writable(target.parent)
        for made in choices.files(target):
            check_absent(made, choices.overwrite)
        with self._decoding:
            photo = Photo(image, choices.max_pixels, linear=choices.linear)
        height, width = photo.shape
        shape = (height, width, wavelengths.size)
        needed = stored_bytes(target, shape, form=choices.form, dtype=choices.dtype)
        reserving = self._room.reserve(target, needed, f"{wavelengths.size} bands of {height} x {width} pixels")
        seams = SeamCost(photo.shape, size) if mode == "separate" else None
        examination = None if unrendered(self.loaded) else Examination(self.colours, method.threads)
        preview = Preview(photo.shape) if choices.preview and examination is not None else None

        trust: Trust | None = None

        def found() -> dict[str, Value]:
            nonlocal trust
            trust = None if examination is None else examination.result()
            return {} if trust is None else trust.attributes()

        writing = cube_writer(
            target, shape, wavelengths, self._attributes,
            form=choices.form, dtype=choices.dtype, overwrite=choices.overwrite, later=found,
        )  # fmt: skip
        with library_threads(method.threads), reserving as written, writing as put:
            pixels = 0
            for window, cube in self._tiles(photo, seams, progress):
                put(window, cube)
                pixels += window.height * window.width
                written(pixels / (height * width))
                if examination is not None:
                    compared = examination.add(photo.read(window), cube)
                    if preview is not None:
                        preview.add(window, *compared)
                del cube  # or it would stay while the next tile is computed
        if preview is not None:
            preview.write(preview_path(target), image.name, method.name, overwrite=choices.overwrite)
        grid = (float(wavelengths[0]), float(wavelengths[-1]))
        return Reconstructed(shape, seams, grid, trust, tuple(photo.remarks))

    def _tiles(self, photo: Photo, seams: SeamCost | None, progress: Progress) -> Iterator[tuple[Window, Cube]]:
        linear = self.loaded.method.input == "linear"

        def read(window: Window) -> Image:
            rgb = photo.read(window)
            return srgb_to_xyz(rgb).astype(np.float32) if linear else rgb

        tiles = stream(
            self.loaded.method, read, photo.shape, self.choices.tiles, cost=seams, progress=progress, share=self.share
        )
        while True:
            with self._computing:
                tile = next(tiles, None)
            if tile is None:
                return
            yield tile


def reconstruct_file(
    method: str,
    image: Path,
    target: Path,
    *,
    choices: Choices | None = None,
    progress: Progress = silent,
) -> Reconstructed:
    """Reconstruct a photo into a cube file, tile by tile where the photo is large.

    Parameters
    ----------
    method
        As for `load`.
    image, target
        The photo, and where its cube goes.
    choices
        The weights, the device, the tiles, the form and more; None: the defaults of `Choices`.
    progress
        Called with the fraction done and a few words.

    Raises
    ------
    SpecrecError
        If the cube does not fit on the disk, which is looked at before the work begins; else as for all of these.
    """
    chosen = choices or Choices()
    chosen.check([Work(image, target)])
    loaded = load_with_card(method, chosen.weights, chosen.device, chosen.threads or available_cores())
    chosen.check_bands(loaded)
    return Workshop(loaded, replace(chosen, weights=loaded.path)).make(image, target, progress)
