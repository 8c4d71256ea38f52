"""How the shipped weights are made, and on what they are tested: data sets, seeds and parameters, nothing else."""

TRAINING = "synthetic[spectra=broad,world=1000,worlds=300,scenes=300,exposure=0.25:4]"
"""300 worlds of any spectra under any light, each scene with an exposure of its own; scaling is off, so it counts."""

TESTING = "synthetic[spectra=broad,world=5000,worlds=40,scenes=40,exposure={exposure}]"
"""40 further worlds, never trained on."""

EXPOSURES = ("0.25", "1", "4")

METHODS = {
    "gan": "gan[preset=quick,steps=12000]",
    "pixel": "pixel[preset=wide,steps=4000]",
    "arad": "arad",
    "linear": "linear",
}
"""What each file is trained with; seed 0."""
