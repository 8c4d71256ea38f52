"""Using methods outside a bench: load one with its weights, reconstruct photos, train one and store it.

Modules, from the bottom: `loading`; `training_colours` (which colours weights were trained on); `training`,
`many_trainings`; `trust` (how far a photo's estimate can be believed); `preview`; `outputs` (which photos, and where
their cubes go); `room` (on the disk); `one_photo`; `many_photos`. On a cluster: `workers` (what they must have),
`staging` (cubes on their way), `photo_job` and `training_job` (inside a worker), `photos_on_cluster` and
`trainings_on_cluster` (here).
"""

from specrec.reconstruction.loading import load
from specrec.reconstruction.many_photos import Outcome, Watcher, reconstruct_files
from specrec.reconstruction.one_photo import Choices, Reconstructed, reconstruct_file
from specrec.reconstruction.outputs import Work, find_photos, name_outputs
from specrec.reconstruction.training import train

__all__ = [
    "Choices",
    "Outcome",
    "Reconstructed",
    "Watcher",
    "Work",
    "find_photos",
    "load",
    "name_outputs",
    "reconstruct_file",
    "reconstruct_files",
    "train",
]
