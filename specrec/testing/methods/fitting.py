"""What a method promises of `fit`: seeds, forgetting, progress, and being taken up again after it was killed."""

import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from specrec.interfaces import Reconstructor
from specrec.spectra import Cube
from specrec.testing.checks import RAISED, NotApplicable
from specrec.testing.methods.basics import FITS, LEAVES_THE_PROCESS_ALONE, STEADY
from specrec.testing.methods.process_state import differing, process_state, put_back
from specrec.testing.methods.subject import SEED, Subject, checkpoints_at_once, context, difference, said
from specrec.testing.promise import Unjudged, broken, promise


@promise("the same seed gives the same cube", STEADY)
def SAME_SEED(subject: Subject) -> None:  # noqa: N802 - the decorator makes a constant of it
    """Two fits in one process, the second with other global random states."""
    apart = difference(_again(subject).cube, subject.cube)
    if apart:
        raise broken(
            f"two fits with seed {SEED} gave cubes {apart:.2g} apart",
            "draw everything from np.random.default_rng(context.seed), and train networks inside "
            "specrec.training.session.session(context)",
        )


@promise("a refit forgets", SAME_SEED)
def _forgets(subject: Subject) -> None:
    fresh, twice = subject.build(), _again(subject).method
    _fit(fresh, subject.second, "on other scenes")
    _fit(twice, subject.second, "a second time, on other scenes")
    apart = difference(subject.cube_of(subject.image, twice), subject.cube_of(subject.image, fresh))
    if apart:
        raise broken(
            f"fitted to A and then to B, its cube is {apart:.2g} from that of a fit to B alone",
            "let fit begin from nothing: assign every attribute that ends in _ anew, and add to none",
        )


@promise(LEAVES_THE_PROCESS_ALONE, FITS)
def _leaves_the_process_alone(subject: Subject) -> None:
    changed = subject.fitted.changed
    if not changed:
        method = subject.fitted.method
        with suppress(*RAISED), put_back(2):  # other promises say what is wrong with an answer
            method.reconstruct(subject.image.copy())  # so that what a first call imports is there
            before = process_state()
            method.reconstruct(subject.image.copy())
            changed = differing(before, process_state())
    drawn = all(name.endswith("random state") for name in changed)
    if changed and drawn and isinstance(SAME_SEED.outcome(subject), RAISED):
        raise Unjudged(f"cannot be judged before this holds: {SAME_SEED.words}")
    if changed:
        raise broken(
            f"{'fit' if subject.fitted.changed else 'reconstruct'} changed {' and '.join(changed)}",
            "draw from a generator of your own; specrec.training.session.session(context) puts torch back",
        )


@promise("progress rises from 0 to 1", FITS)
def _progress(subject: Subject) -> str:
    told = subject.fitted.told
    if not told:
        raise NotApplicable("fit tells no progress; one that takes seconds calls context.progress(fraction, words)")
    if told != sorted(told) or not all(0 <= done <= 1 for done in told):
        shown = ", ".join(f"{done:.3g}" for done in told[:8])
        raise broken(
            f"fit told of {shown}", "call context.progress with the fraction done, 0 to 1, never less than before"
        )
    if told[-1] != 1:
        raise broken(f"fit told of {told[-1]:.3g} last", "end it with context.progress(1.0, words)")
    return f"told {len(told)} times"


@promise("it computes on the device it is told", FITS)
def _device(subject: Subject) -> None:
    method = subject.fitted.method
    if method.device != "cpu":
        raise broken(
            f"told to fit on cpu, the method has device {method.device!r}",
            "set self.device = context.device at the end of fit, and move what it learnt to self.device in reconstruct",
        )
    torch: Any = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        held = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        subject.cube_of(subject.image)
        if torch.cuda.max_memory_allocated() > held:
            raise broken("told to use cpu, reconstruct takes memory of the GPU", "use self.device")


class _Killed(BaseException):
    """Ends a fit as a signal would."""


@promise("a fit that was killed goes on and ends the same", SAME_SEED)
def _goes_on(subject: Subject) -> None:
    if not subject.fitted.kept_a_checkpoint:
        raise NotApplicable("fit keeps no checkpoint (or none so soon)")
    with TemporaryDirectory() as folder, checkpoints_at_once():
        path = Path(folder) / "checkpoint.safetensors"

        def kill(done: float, _words: str) -> None:
            if done < 1 and path.exists():
                raise _Killed

        try:
            subject.build().fit(subject.first, context(kill, path))
        except _Killed:
            pass
        else:
            raise NotApplicable("the fit was over before it could be killed")
        again = subject.build()
        try:
            again.fit(subject.first, context(checkpoint=path))
        except RAISED as error:
            raise broken(
                f"a fit that was killed, started again, raised {said(error)}",
                "write context.checkpoint whole (specrec.cache.written_whole), and read back all of it",
            ) from error
    apart = difference(subject.cube_of(subject.image, again), subject.cube)
    if apart:
        raise broken(
            f"killed and started again, its cube is {apart:.2g} from that of a fit left alone",
            "keep in the checkpoint all that the rest of the fit depends on, random states too, as "
            "specrec.training.loop.run does",
        )


@dataclass(frozen=True)
class _Again:
    """A second fit to the first scenes, and what it gave."""

    method: Reconstructor
    cube: Cube


def _again(subject: Subject) -> _Again:
    if subject.again is None:
        subject.fitted  # noqa: B018 - a method that cannot be fitted is not fitted again
        with put_back(3):  # another seed than that of the first fit
            method = subject.build()
            _fit(method, subject.first, "a second time")
            subject.again = _Again(method, subject.cube_of(subject.image, method))
    again: _Again = subject.again
    return again


def _fit(method: Reconstructor, scenes: Any, when: str) -> None:
    try:
        method.fit(scenes, context())
    except RAISED as error:
        raise broken(f"fit {when} raised {said(error)}", "let fit begin from nothing, whatever was before") from error


PROMISES = (SAME_SEED, _forgets, _leaves_the_process_alone, _progress, _device, _goes_on)
