"""What `specrec run` says: one line per photo that is finished, its warnings, and how far all of them are.

Where it is quiet the difference of each photo, its warnings and failures are said all the same.
"""

import threading
from pathlib import Path

from specrec.cli.progress import Line
from specrec.reconstruction import Reconstructed, Watcher, Work
from specrec.reconstruction.many_photos import reason
from specrec.reconstruction.one_photo import Workshop, unrendered


class RunProgress(Watcher):
    """Says it on a line.

    Parameters
    ----------
    line
        Where to.
    several
        Whether there may be many photos; the failure of a single one is left to the caller to tell.
    skip_existing
        Whether photos whose cubes exist are left out without a word.
    """

    def __init__(self, line: Line, *, several: bool, skip_existing: bool) -> None:
        self._line, self._several, self._skip_existing = line, several, skip_existing
        self._lock = threading.Lock()
        self._under_way: dict[Work, float] = {}
        self._ended = 0
        self._total = 0
        self._pixels = 0
        self._method = ""
        self._untold = ""  # said once, after the first photo
        self._show = line.progress("reconstructing")

    def note(self, words: str) -> None:
        """Say it."""
        self._line.say(words)

    def begun(self, workshop: Workshop, total: int) -> None:
        """Keep what the other lines need."""
        self._method, self._total = workshop.loaded.method.name, total
        if reason := unrendered(workshop.loaded):
            self._untold = f"{reason}; so no difference from the photo is told"
        elif workshop.silent_about_colours:
            self._untold = (
                f"the weights {workshop.loaded.path} do not say which colours they were trained on, "
                "so no photo can be told to lie far from them"
            )

    def progress(self, work: Work, done: float, words: str) -> None:
        """Show all of the photos as one piece of work; a single one by itself."""
        with self._lock:
            self._under_way[work] = done
            if self._several:
                words = f"({self._ended} of {self._total} photos, {self._pixels / 1e6:.1f} megapixels)"
                done = (self._ended + sum(self._under_way.values())) / max(1, self._total)
            else:
                words = f"{work.photo.name} {words}"
            self._show(done, words)

    def finished(self, work: Work, found: Reconstructed) -> None:
        """Say what was written, what was done to the photo, and how far the estimate can be believed."""
        height, width, bands = found.shape
        self._end(work, height * width)
        for remark in found.remarks:
            self._line.say(f"{work.photo}: {remark}")
        low, high = found.wavelengths
        trust = "" if found.trust is None else f"; {found.trust}"
        words = f"{work.target}: {height} x {width} pixels, {bands} bands, {low:g}-{high:g} nm{trust}"
        self._line.say(words, always=found.trust is not None)
        if found.trust is not None and (warning := found.trust.warning(self._method)):
            self._line.say(f"{work.photo}: {warning}", always=True)
        if self._untold:
            self._line.say(self._untold)
            self._untold = ""
        if found.seams is not None:
            self._line.say(f"{work.target}: {found.seams}" if self._several else str(found.seams))

    def failed(self, work: Work, error: Exception) -> None:
        """Say which photo failed and why, also where it is quiet."""
        self._end(work, 0)
        if self._several:
            text = reason(error)
            named = str(work.photo) in text or str(work.target) in text
            self._line.say(f"failed: {text}" if named else f"failed: {work.photo}: {text}", always=True)

    def stopping(self) -> None:
        """Say at once why it takes a while yet, also where it is quiet."""
        self._line.say("finishing the tile in work; Ctrl-C again ends at once", always=True)

    def kept(self, work: Work, existing: Path, missing: Path | None) -> None:
        """Say which photo was left out."""
        if missing is not None:
            words = f"{existing} exists and {missing} does not; kept, and {work.photo} left out"
            self._line.say(words, always=True)
        elif not self._skip_existing:
            self._line.say(f"{existing} exists; kept, and {work.photo} left out", always=True)

    def _end(self, work: Work, pixels: int) -> None:
        with self._lock:
            self._under_way.pop(work, None)
            self._ended += 1
            self._pixels += pixels
