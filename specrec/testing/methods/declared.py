"""What a method says of itself: name, parameters, presets, extent."""

import json
from numbers import Integral

from specrec.errors import SpecrecError, UsageError
from specrec.parameters import Parameter, parse_spec
from specrec.testing.checks import RAISED
from specrec.testing.methods.subject import Subject, said
from specrec.testing.promise import broken, promise

_NOBODYS = "a_parameter_of_nobody"


@promise("its name, summary and parameters can be shown")
def _shown(subject: Subject) -> None:
    method = subject.method
    try:
        plain = parse_spec(method.name) == (method.name, {}) and method.name == method.name.lower()
    except SpecrecError:
        plain = False
    if not plain:
        raise broken(f"the name {method.name!r} cannot be typed after --methods", "use lower-case letters, digits, -._")
    if not isinstance(method.summary, str) or len(method.summary.strip().splitlines()) != 1:
        raise broken(f"the summary is {method.summary!r}", "say in one line what the method does")
    for name, parameter in method.parameters.items():
        if not isinstance(parameter, Parameter) or not parameter.help.strip():
            raise broken(f"parameter {name!r} does not say what it does", 'declare Parameter(default, "what it does")')


@promise("every default is a value that its parameter takes")
def DEFAULTS(subject: Subject) -> str | None:  # noqa: N802 - the decorator makes a constant of it
    """Read as if a user had typed them."""
    for name, parameter in subject.method.parameters.items():
        try:
            read = parameter.read(parameter.default, name)
        except SpecrecError as error:
            raise broken(f"the default is refused: {error}", "change the default, the choices or the bounds") from error
        if type(read) is not type(parameter.default):
            raise broken(f"{name} is read as {read!r}, not {parameter.default!r}", "use bool, int, float or str")
    return f"{len(subject.method.parameters)} parameters"


@promise("every preset can be built")
def _presets(subject: Subject) -> str | None:
    for preset, values in subject.method.presets.items():
        try:
            settings = subject.method(preset=preset).settings
        except RAISED as error:
            raise broken(
                f"preset {preset!r} cannot be built ({said(error)})",
                "declare a parameter `preset` with the presets as its choices, and give only declared parameters",
            ) from error
        wrong = {key: settings.get(key) for key, value in values.items() if settings.get(key) != value}
        if wrong:
            raise broken(f"preset {preset!r} does not set {', '.join(wrong)}", "pass what is given to super().__init__")
    return f"{len(subject.method.presets)} presets" if subject.method.presets else None


@promise("an unknown parameter is refused")
def _unknown(subject: Subject) -> None:
    way_out = "let __init__(self, **given) pass everything to super().__init__(**given)"
    try:
        subject.method(**{_NOBODYS: 1})
    except UsageError:
        return
    except RAISED as error:
        raise broken(f"a parameter that is not declared raised {said(error)} and no UsageError", way_out) from error
    raise broken("a parameter that is not declared was taken without a word", way_out)


@promise("its settings build the same method again", DEFAULTS)
def BUILDS(subject: Subject) -> None:  # noqa: N802 - as above
    """Read back from JSON, as the card of a weights file keeps them."""
    try:
        settings = subject.build().settings
    except RAISED as error:
        raise broken(f"it cannot be built with these settings ({said(error)})", "change its `trials`") from error
    try:
        again = subject.method(**json.loads(json.dumps(dict(settings)))).settings
    except RAISED as error:
        raise broken(
            f"its own settings, kept as JSON, are refused ({said(error)})",
            "keep in `settings` what super().__init__(**given) has put there",
        ) from error
    wrong = [key for key in {**settings, **again} if settings.get(key, None) != again.get(key, None)]
    if wrong:
        raise broken(
            f"{wrong[0]} is {settings.get(wrong[0])!r}, and built again {again.get(wrong[0])!r}",
            "leave `settings` as super().__init__(**given) has made it, and derive other values in properties",
        )


@promise("its extent is declared in whole numbers", BUILDS)
def EXTENT(subject: Subject) -> str:  # noqa: N802 - as above
    """Receptive field, grid, halo and bytes per pixel."""
    method = subject.build()
    reach = method.receptive_field
    least = {"receptive_field": 1, "grid": 1, "halo": 0, "bytes_per_pixel": 1}
    for name, value in least.items():
        found = getattr(method, name)
        if name == "receptive_field" and found is None:
            continue
        if not isinstance(found, Integral) or isinstance(found, bool) or found < value:
            raise broken(f"{name} is {found!r}", f"make it a property that returns a whole number of at least {value}")
    if method.input not in ("srgb8", "linear"):
        raise broken(f"input is {method.input!r}", 'return "srgb8" or "linear"')
    if reach == 1 and method.halo > 0:
        raise broken(f"receptive_field is 1, and halo is {method.halo}", "a method of single pixels has a halo of 0")
    seen = "unbounded" if reach is None else f"{reach} x {reach}"
    return f"sees {seen}, grid {method.grid}, halo {method.halo}, {method.bytes_per_pixel} bytes a pixel"


@promise("before a fit there is one clear sentence", BUILDS)
def _before_a_fit(subject: Subject) -> str | None:
    method, image, words = subject.build(), subject.noise(3, 4), ""
    way_out = f'raise UsageError("{method.name} is not fitted; call fit or load weights first")'
    for call, name in ((lambda: method.reconstruct(image), "reconstruct"), (method.state, "state")):
        try:
            call()
        except SpecrecError as error:
            words = str(error).strip()
            if len(words.splitlines()) != 1:
                raise broken(f"before fit {name} says {words!r}", way_out) from error
        except RAISED as error:
            raise broken(f"before fit {name} raised {said(error)}", way_out) from error
        else:
            raise broken(f"before fit {name} gave an answer", way_out)
    return None


OF_THE_CLASS = (_shown, DEFAULTS, _presets, _unknown)
OF_EVERY_TRIAL = (BUILDS, EXTENT, _before_a_fit)
