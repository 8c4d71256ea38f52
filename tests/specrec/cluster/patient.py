"""A plugin whose method `patient` can be watched and held from outside: in files of the folder PATIENT."""

PATIENT = """
import logging, os, time
from pathlib import Path
import numpy as np
from specrec import Parameter, Reconstructor, hookimpl

class Patient(Reconstructor):
    name = "patient"
    summary = "says who it is, and waits until it may go on"
    parameters = {"does": Parameter("waits", "what it does", choices=("waits", "dies", "raises"))}

    def fit(self, scenes, context):
        folder = Path(os.environ["PATIENT"])
        (folder / f"pid-{os.getpid()}").touch()
        logging.getLogger("specrec").info("patient is there")
        context.progress(0.5, "waiting")
        if self.settings["does"] == "dies":
            os._exit(7)
        if self.settings["does"] == "raises":
            raise RuntimeError("no patience")
        while not (folder / "go").exists():
            time.sleep(0.02)
        self.mean_ = np.mean([scene.cube().mean(axis=(0, 1)) for scene in scenes], axis=0)
        return self

    def reconstruct(self, rgb):
        return np.broadcast_to(self.mean_, (*rgb.shape[:2], self.mean_.size)).astype(np.float32)

    def state(self):
        return {"mean": self.mean_}, {}

    @classmethod
    def from_state(cls, settings, arrays, config):
        method = cls(**settings)
        method.mean_ = arrays["mean"]
        return method

@hookimpl
def specrec_reconstructors():
    return [Patient]
"""
