"""Test scenes under one method: each is reconstructed, timed, checked and scored, and pictures of it are kept."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from specrec.cells import separate
from specrec.cells.answers import check_estimate, score_as_json
from specrec.cells.ceiling import scores_in_cell
from specrec.cells.cell import Cell
from specrec.cells.disturbed import Tested, scores_under_conditions
from specrec.cells.looks import save_look
from specrec.cells.region import region_mask
from specrec.cells.samples import save_sample
from specrec.cells.scoring import Scoring
from specrec.cubes import write_cube
from specrec.errors import CannotGoOnError, in_a_line
from specrec.interfaces import Progress, Reconstructor
from specrec.rendering import rendering_id
from specrec.scenes import TrainingScene
from specrec.spectra import Cube
from specrec.tiling import parse_tiles, reconstruct


class TestedImages:
    """Tests one scene after the other; reading and scoring are not timed, reconstructing is.

    Parameters
    ----------
    cell
        What is wanted of each: region, tiles, ceiling, conditions, cubes.
    method
        Fitted.
    scoring
        Scores, and keeps why something gave nothing.
    progress
        Called with the fraction of the cell that is done and a few words.

    Attributes
    ----------
    images
        Of each scene its entry in the record.
    seconds
        Spent on reconstruction, on the clock and of the processor.
    megapixels
        Reconstructed in them.
    """

    def __init__(self, cell: Cell, method: Reconstructor, scoring: Scoring, progress: Progress) -> None:
        self._progress = progress
        self._cell = cell
        self._method = method
        self._scoring = scoring
        self.images: list[dict[str, Any]] = []
        self.seconds = {"reconstruct_seconds": 0.0, "reconstruct_cpu_seconds": 0.0}
        self.megapixels = 0.0

    @classmethod
    def only_scored(cls, cell: Cell, method: Reconstructor, scoring: Scoring, progress: Progress) -> "TestedImages":
        """Make one for scenes beside the test: nothing but scores is wanted of them, and what breaks is not told."""
        plain = replace(cell, save_cubes=False, ceiling=0, robustness=[])
        return cls(plain, method, Scoring(scoring.without, scoring.tell), progress)

    def add(self, scene: TrainingScene, *, sampled: bool = False, pictured: bool = False) -> None:
        """Test a scene; `sampled`: it is also kept small for the figure, `pictured`: for the page of the results."""
        reference = scene.cube()
        rgb = scene.rgb_of(reference)
        rgb.setflags(write=False)
        wall, cpu = time.perf_counter(), time.process_time()
        estimate = reconstruct(self._method, rgb, self._cell.tiles)
        self.seconds["reconstruct_seconds"] += time.perf_counter() - wall
        self.seconds["reconstruct_cpu_seconds"] += time.process_time() - cpu
        self.megapixels += rgb.shape[0] * rgb.shape[1] / 1e6
        check_estimate(estimate, reference, scene.name)
        mask = scene.mask & region_mask(self._cell.region, *reference.shape[:2])
        scores = self._scoring.own(estimate, reference, mask, scene.wavelengths)
        if self._cell.ceiling:
            on_its_pixels = scores_in_cell(self._cell.folder, scene.name, estimate, reference)
            scores |= {name: score_as_json(one) for name, one in on_its_pixels.items()}
        if self._cell.robustness:
            tested = Tested(scene, rgb, estimate, reference, mask)
            scores |= scores_under_conditions(self._cell, self._method, tested, self._scoring.broken, self._tell(scene))
        image: dict[str, Any] = {"scene": scene.name, "valid_pixels": int(mask.sum()), "scores": scores}
        mode, size = parse_tiles(self._cell.tiles)
        if mode == "separate":
            image["separate_tiles"] = separate.compare(self._method, rgb, estimate, reference, mask, size)
        self.images.append(image)
        if self._cell.save_cubes:
            self._save(scene, estimate, reference)
        if sampled:
            save_sample(self._cell, scene, estimate, reference, mask)
        if pictured:
            try:
                save_look(self._cell, scene, estimate, reference, mask)
            except CannotGoOnError:
                raise
            except Exception as error:  # the page lacks a picture, the scores are kept
                self._scoring.broken["picture"] = f"of {scene.name}: {in_a_line(error)}"
        scores |= self._scoring.others(estimate, reference, mask, scene.wavelengths)

    def _tell(self, scene: TrainingScene) -> Callable[[str], None]:
        done = 0.9 + 0.1 * len(self.images) / max(len(self._cell.test), 1)
        return lambda condition: self._progress(done, f"testing {scene.name}, {condition}")

    def _save(self, scene: TrainingScene, estimate: Cube, reference: Cube) -> None:
        low, high = scene.scene.extent if scene.scaling == "minmax" else (0.0, 1.0)
        attributes = {
            "quantity": scene.scene.quantity,
            "units": "1",
            "scale_min": low,
            "scale_max": high,
            "rendering": rendering_id(self._cell.quantisation),
        }
        mine = {**attributes, "method": self._cell.slug}
        write_cube(self._cell.cubes / f"{scene.name}.h5", estimate, scene.wavelengths, mine, scene.mask, overwrite=True)
        path = Path(self._cell.folder) / "cubes" / "reference" / f"{scene.name}.h5"
        if not path.exists():
            theirs = {**attributes, "method": "reference"}
            write_cube(path, reference, scene.wavelengths, theirs, scene.mask, overwrite=True)
