"""The methods that come with specrec keep the contract of any plugin, and some promises beyond it."""

import numpy as np
import pytest

from specrec.errors import SpecrecError
from specrec.interfaces import FitContext, Reconstructor
from specrec.parameters import Settings
from specrec.registry import registry
from specrec.testing.checks import Check
from specrec.testing.methods import method_checks
from specrec.testing.parametrise import parametrised
from specrec.testing.small_scenes import first_scenes, noise, second_scenes

METHODS = [registry().reconstructor(name) for name in sorted(registry().reconstructors)]
TRIALS = [(method, trial) for method in METHODS for trial in method.trials]
NAMES = [f"{method.name}{trial or ''}" for method, trial in TRIALS]
DRAW_NOTHING = ("mean", "linear", "mallett", "matrix-r", "pca", "polynomial", "root-polynomial")
LEARN_NOTHING = ("mallett",)

every_trial = pytest.mark.parametrize(("method", "trial"), TRIALS, ids=NAMES)


def cube(method: type[Reconstructor], trial: Settings, seed: int = 0, *, others: bool = False) -> np.ndarray:
    building = method(**trial)
    scenes = (second_scenes if others else first_scenes)(building.input)
    return building.fit(scenes, FitContext(seed=seed)).reconstruct(noise(11, 13, building.input))


@parametrised([check for method in METHODS for check in method_checks(method)])
def test_it_keeps_the_contract(check: Check) -> None:
    check()


@every_trial
def test_other_scenes_and_other_seeds_give_another_cube(method: type[Reconstructor], trial: Settings) -> None:
    first = cube(method, trial)
    assert np.array_equal(first, cube(method, trial, others=True)) == (method.name in LEARN_NOTHING)
    assert np.array_equal(first, cube(method, trial, seed=1)) == (method.name in DRAW_NOTHING)


@every_trial
def test_before_fit_it_says_so(method: type[Reconstructor], trial: Settings) -> None:
    with pytest.raises(SpecrecError, match="is not fitted"):
        method(**trial).reconstruct(noise(3, 4))


@every_trial
def test_fit_tells_its_progress(method: type[Reconstructor], trial: Settings) -> None:
    told: list[float] = []
    building = method(**trial)
    building.fit(first_scenes(building.input), FitContext(progress=lambda done, _words: told.append(done)))
    assert told[-1] == 1.0


@every_trial
def test_it_declares_what_it_sees(method: type[Reconstructor], trial: Settings) -> None:
    unbounded = trial.get("white_balance") == "image"
    assert (method(**trial).receptive_field is None) == unbounded
