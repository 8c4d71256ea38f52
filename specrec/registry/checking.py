"""Whether what a plugin offers can be used; every reason says what to change.

Names stand on command lines, in tables and in paths, so they are few letters; texts stand in listings, one line each.
"""

import json
import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from specrec.errors import UsageError, in_a_line, plain_line
from specrec.interfaces import Metric, Reconstructor, SceneSource
from specrec.parameters import Parameter, resolve

LONGEST_NAME = 64
OF_THE_CEILING = ("@matched", "@metamers")
"""Endings of metrics that the harness makes itself."""

_NAME = re.compile(r"[a-z0-9](?:[._-]?[a-z0-9])*")
_METRIC = re.compile(rf"{_NAME.pattern}(?:@{_NAME.pattern})?")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def not_a_method(method: Any) -> str | None:
    """Say what keeps a method from being used; None where nothing does."""
    return _not_a_class(method, Reconstructor) or _not_configurable(method, "method", method.presets)


def not_a_source(source: Any) -> str | None:
    """Say what keeps a data set from being used; None where nothing does."""
    if reason := _not_a_class(source, SceneSource) or _not_configurable(source, "data set", {}):
        return reason
    quantity, variable = getattr(source, "quantity", None), source.path_variable
    if quantity not in ("radiance", "reflectance"):
        return f"its quantity is 'radiance' or 'reflectance', not {_short(quantity)}"
    if not (variable is None or (isinstance(variable, str) and _VARIABLE.fullmatch(variable))):
        return f"its path_variable is None or capital letters such as 'SPECREC_CAVE', not {_short(variable)}"
    return None


def not_a_metric(metric: Any) -> str | None:
    """Say what keeps a metric from being used; None where nothing does."""
    if not isinstance(metric, Metric):
        return f"{_short(metric)} is not a Metric; offer specrec.Metric(...) objects"
    if reason := name_problem(metric.name, "metric"):
        return reason
    if metric.name.endswith(OF_THE_CEILING):
        return f"names ending in {' or '.join(OF_THE_CEILING)} are those of specrec's ceiling; take another"
    for part in ("unit", "scale", "definition"):
        if reason := _not_a_line(getattr(metric, part), part):
            return reason
    if reason := _not_a_line(metric.reference, "reference", may_be_empty=True):
        return reason
    if not isinstance(metric.higher_is_better, bool):
        return f"its higher_is_better is True or False, not {_short(metric.higher_is_better)}"
    if not callable(metric.function):
        return f"its function is one of (estimate, reference, mask, wavelengths), not {_short(metric.function)}"
    return None


def name_problem(name: Any, kind: str) -> str | None:
    """Say why a name cannot be one of a thing of that kind; None where it can."""
    pattern = _METRIC if kind == "metric" else _NAME
    if isinstance(name, str) and pattern.fullmatch(name) and len(name) <= LONGEST_NAME:
        return None
    signs = ". _ - between them" + (", @ before a variant" if kind == "metric" else "")
    return (
        f"its name is lower case letters and digits with {signs}, at most {LONGEST_NAME} letters, not {_short(name)}"
        if name is not None
        else f"it has no name; give the {kind} an attribute name"
    )


def _not_a_class(offered: Any, base: type) -> str | None:
    if not isinstance(offered, type):
        way_out = "offer its class" if isinstance(offered, base) else f"inherit specrec.{base.__name__}"
        return f"{_short(offered)} is not a {base.__name__} class; {way_out}"
    if not issubclass(offered, base):
        return f"{_short(offered)} is not a {base.__name__} class; inherit specrec.{base.__name__}"
    missing = sorted(getattr(offered, "__abstractmethods__", ()))
    return f"{offered.__name__} has no {', '.join(missing)}; write what is missing" if missing else None


def _not_configurable(offered: Any, kind: str, presets: Any) -> str | None:
    """Check what methods and data sets have in common: name, texts, needs, parameters, presets, trials."""
    if reason := name_problem(getattr(offered, "name", None), kind):
        return reason
    if not hasattr(offered, "summary"):
        return "it has no summary; say in one line what it is"
    reason = _not_a_line(offered.summary, "summary") or _not_a_line(offered.reference, "reference", may_be_empty=True)
    reason = reason or _missing_modules(getattr(offered, "requires", ())) or _bad_parameters(offered.parameters)
    reason = reason or _bad_presets(presets, offered.parameters)
    return reason or _bad_trials(offered.name, offered.parameters, presets, offered.trials)


def _not_a_line(text: Any, what: str, *, may_be_empty: bool = False) -> str | None:
    if isinstance(text, str) and text.isprintable() and (text.strip() or may_be_empty):
        return None
    return f"its {what} is one line of text, not {_short(text)}"


def _missing_modules(requires: Any) -> str | None:
    if not (isinstance(requires, tuple) and all(isinstance(module, str) and module for module in requires)):
        return f'its requires is a tuple of names of modules such as ("torch",), not {_short(requires)}'
    for module in requires:
        try:
            there = find_spec(module) is not None
        except (ImportError, ValueError):
            there = False
        if not there:
            return f"it needs the module {module!r}, which is not installed (or has no wheel for this platform)"
    return None


def _bad_parameters(parameters: Any) -> str | None:
    if not isinstance(parameters, Mapping):
        return f"its parameters are a dictionary of specrec.Parameter, not {_short(parameters)}"
    for name, parameter in parameters.items():
        if not (isinstance(name, str) and _PARAMETER.fullmatch(name) and name != "self"):
            return f"a parameter is called by lower case letters, digits and _, not {_short(name)}"
        where = f"its parameter {name!r}"
        if not isinstance(parameter, Parameter):
            return f"{where} is a specrec.Parameter, not {_short(parameter)}"
        if type(parameter.default) not in (bool, int, float, str):
            return f"{where} has a default that is a bool, int, float or str, not {_short(parameter.default)}"
        if reason := _not_a_line(parameter.help, "help"):
            return f"{where}: {reason}"
        if parameter.supersedes is not None and parameter.supersedes not in parameters:
            return f"{where} supersedes {_short(parameter.supersedes)}, which is no parameter"
        try:
            parameter.read(parameter.default, name)
        except UsageError as error:
            return f"the default of {where.removeprefix('its ')} is not allowed: {in_a_line(error)}"
    return None


def _bad_presets(presets: Any, parameters: Mapping[str, Parameter]) -> str | None:
    if not isinstance(presets, Mapping):
        return f"its presets are a dictionary of settings by name, not {_short(presets)}"
    if not presets:
        return None
    chooser = parameters.get("preset")
    if chooser is None or set(chooser.choices) != set(presets):
        choices = ", ".join(repr(name) for name in presets)
        return f"what has presets declares a Parameter 'preset' with exactly these as its choices: {choices}"
    for preset, settings in presets.items():
        if not isinstance(settings, Mapping):
            return f"its preset {preset!r} is a dictionary of settings, not {_short(settings)}"
        try:
            resolve(f"its preset {preset!r}", parameters, {}, settings)
        except UsageError as error:
            return in_a_line(error)
    return None


def _bad_trials(name: str, parameters: Mapping[str, Parameter], presets: Mapping[str, Any], trials: Any) -> str | None:
    if not (isinstance(trials, list | tuple) and all(isinstance(trial, Mapping) for trial in trials)):
        return f"its trials are a tuple of settings such as ({{'steps': 2}},), not {_short(trials)}"
    for trial in trials:
        try:
            json.dumps(resolve(name, parameters, presets, trial))
        except UsageError as error:
            return f"its trials: {in_a_line(error)}"
    return None


def _short(value: Any) -> str:
    return plain_line(repr(value), 80)
