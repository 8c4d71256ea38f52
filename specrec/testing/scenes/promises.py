"""What every data set promises; what it promises of a scene's numbers is in `contents`."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from specrec.errors import SpecrecError
from specrec.interfaces import SceneSource
from specrec.parameters import Parameter, Settings
from specrec.testing.checks import RAISED, Check, NotApplicable, NotConforming
from specrec.testing.promise import Promise
from specrec.testing.scenes import contents
from specrec.testing.scenes.trial import Trial, asked

ABSENT = "no-such-scene"
_LONGEST_NAME = 200


def scene_checks(source: type[SceneSource], data: Path | None = None) -> list[Check]:
    """List the checks of a data set, under each of its `trials`.

    Parameters
    ----------
    source
        The data set.
    data
        Its folder; default: that of its environment variable.
    """
    checks = [
        Check("scenes", source.name, promise, partial(run, source))
        for promise, run in (
            ("it says what it is", _says_what_it_is),
            ("a folder that is not there is named", _no_folder),
        )
    ]
    for settings in _settings(source):
        trial = Trial(source, settings, data)
        subject = _subject(source, settings)
        checks += [Check("scenes", subject, promise.words, promise.tried_on(trial)) for promise in _of_a_trial()]
    return checks


def _of_a_trial() -> list[Promise]:
    """List what is promised under each trial, in the order of a report; a scene must open before it can be read."""
    names = Promise("its names are stable and sorted, and can name files", _names)
    files = Promise("the files of a scene are there", _files, (names,))
    opens = Promise("a scene says what it is", contents.described, (files,))
    cubes = Promise("a cube is float32, bands last, and finite where it is valid", contents.cubes, (opens,))
    return [
        names,
        Promise("an unknown scene is named in one sentence", _unknown_scene, (files,)),
        Promise("opening a scene does not read it", contents.lazy, (opens,)),
        opens,
        Promise("wavelengths increase, in nm", contents.wavelengths, (opens,)),
        cubes,
        Promise("the mask says which pixels are valid", contents.masks, (opens,)),
        Promise("a window is a part of the whole", contents.windows, (cubes,)),
        Promise("a second reading gives the same, whatever became of the first", contents.readings, (cubes,)),
        Promise("another process reads the same", contents.another_process, (cubes,)),
        files,
        Promise("further scenes are other ones", _further, (cubes,)),
    ]


def _settings(source: type[SceneSource]) -> list[Settings]:
    """Return its trials; none where something in them is no set of options."""
    trials: object = source.trials
    right = isinstance(trials, tuple | list) and all(isinstance(settings, Mapping) for settings in trials)
    return list(source.trials) if right else []


def _subject(source: type[SceneSource], settings: Settings) -> str:
    options = ",".join(f"{key}={value}" for key, value in settings.items())
    return f"{source.name}[{options}]" if options else source.name


def _says_what_it_is(source: type[SceneSource]) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", source.name):
        raise NotConforming(f"its name is {source.name!r}; take letters, digits and _ . - only, for users type it")
    for word in ("summary", "reference"):
        said = getattr(source, word, None)
        if not isinstance(said, str) or "\n" in said or (word == "summary" and not said.strip()):
            raise NotConforming(f"{word} is {said!r}; say it in one line")
    if getattr(source, "quantity", None) not in ("radiance", "reflectance"):
        raise NotConforming(
            f"quantity is {getattr(source, 'quantity', None)!r}; set the class attribute to 'radiance' or 'reflectance'"
        )
    if source.path_variable is not None and not re.fullmatch(r"[A-Z][A-Z0-9_]*", source.path_variable):
        raise NotConforming(f"path_variable is {source.path_variable!r}; take capitals, digits and _: SPECREC_MINE")
    if not all(isinstance(parameter, Parameter) for parameter in source.parameters.values()):
        raise NotConforming("parameters holds something else than specrec.Parameter; declare each option as one")
    if not _settings(source):
        raise NotConforming(
            f"trials is {source.trials!r}, so that nothing is tried; leave it out, or give a tuple of options, with its"
            ' comma: ({"scenes": 2},)'
        )
    return source.quantity


def _no_folder(source: type[SceneSource]) -> str:
    if source.path_variable is None:
        raise NotApplicable("it is read from no folder (path_variable is None)")
    absent = Path(ABSENT).resolve() / "there"
    remedy = (
        "raise a specrec.errors.UsageError in one line that names self.path, where it is no folder"
        " (if not self.path.is_dir(): ...)"
    )
    try:
        found = source(absent, **(_settings(source) or [{}])[0]).names()
    except SpecrecError as error:
        if str(absent) in str(error) and "\n" not in str(error):
            return ""
        raise NotConforming(f"a folder that is not there gives {str(error)!r}; {remedy}") from error
    except RAISED as error:  # a plugin may raise anything
        raise NotConforming(f"a folder that is not there raises {type(error).__name__}: {error}; {remedy}") from error
    raise NotConforming(f"a folder that is not there has {len(found)} scenes; {remedy}")


def _names(trial: Trial) -> str:
    first, second = trial.fresh(), trial.fresh()
    names = asked("names()", first.names, "return a list of words")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise NotConforming(f"names() gives {names!r}; return a list of words, of one scene at least")
    if names != sorted(set(names)):
        raise NotConforming(f"names() gives {_few(names)}; return them sorted, each once: sorted(set(names))")
    for again in (first.names(), second.names()):
        if again != names:
            raise NotConforming(
                f"names() gives {_few(names)} and then {_few(again)}; derive the names from the files or the options"
                " alone, without chance, clock or counter"
            )
    for name in names:
        if re.search(r'[/\\:*?"<>|\x00-\x1f]', name) or name.startswith(".") or not 0 < len(name) <= _LONGEST_NAME:
            raise NotConforming(
                f'a scene is called {name!r}, and results are stored under its name; leave out / \\ : * ? " < > | and a'
                f" leading dot, and keep to {_LONGEST_NAME} letters"
            )
    return f"{len(names)} scenes"


def _unknown_scene(trial: Trial) -> str:
    remedy = "raise a specrec.errors.UsageError that names it (f'no scene {name!r}') where name is none of names()"
    source = trial.fresh()
    absent = ABSENT
    while absent in trial.names:
        absent += "-"
    try:
        source.open(absent)
    except SpecrecError as error:
        if absent in str(error) and "\n" not in str(error):
            return ""
        raise NotConforming(f"open({absent!r}) says {str(error)!r}; {remedy}") from error
    except RAISED as error:  # a plugin may raise anything
        raise NotConforming(f"open({absent!r}) raised {type(error).__name__}: {error}; {remedy}") from error
    raise NotConforming(f"open({absent!r}) gives a scene; {remedy}")


def _files(trial: Trial) -> str:
    source, count = trial.fresh(), 0
    for name in trial.samples:
        files = asked(f"files({name!r})", partial(source.files, name), "return a list of Path")
        if source.path_variable is not None and not files:
            raise NotConforming(
                f"files({name!r}) is empty, and the data set is read from a folder; list the scene's files, whose size"
                " and date tell whether a scene has changed since it was last looked through"
            )
        for path in files:
            if not isinstance(path, Path) or not path.is_file():
                raise NotConforming(
                    f"files({name!r}) lists {path!r}, which is no file; list the Paths that open() reads"
                )
        count += len(files)
    return f"{count} files of {len(trial.samples)} scenes" if count else "it makes its scenes"


def _further(trial: Trial) -> str:
    source = trial.fresh()
    more = asked("further(2)", partial(source.further, 2), "return a SceneSource of two other scenes, or None")
    if more is None:
        raise NotApplicable("it has no further scenes")
    names = more.names() if isinstance(more, SceneSource) else None
    if names is None or len(names) != 2:
        raise NotConforming(
            f"further(2) gives {more!r} with the scenes {names}; return a SceneSource of as many scenes as asked for"
        )
    known = {contents.content(source, name) for name in trial.samples}
    for name in names:
        if name in trial.names or contents.content(more, name) in known:
            raise NotConforming(
                f"further(2) gives the scene {name!r}, which is one of the data set itself, by its name or its pixels;"
                " give others, such as those that come after the last"
            )
    return ""


def _few(names: list[str]) -> str:
    return ", ".join(map(repr, names[:4])) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
