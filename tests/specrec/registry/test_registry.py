import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from specrec.errors import PluginError, UsageError
from specrec.hookspecs import hookimpl
from specrec.interfaces import Metric, Score
from specrec.registry import Registry, load_plugins, registry

HEAVY = {"torch", "colour", "sklearn", "scipy", "spams", "numba"}


def metric(name: str) -> Metric:
    return Metric(name, "1", "0..1", False, "nothing", "nobody", lambda *_: Score(0.0, 1.0))


def offering(*metrics: Metric) -> SimpleNamespace:
    return SimpleNamespace(specrec_metrics=hookimpl(lambda: metrics))


def test_the_methods_metrics_and_data_sets_of_the_distribution_are_there() -> None:
    found = registry()
    assert {"gan", "arad", "pixel", "mean", "linear"} <= set(found.reconstructors)
    assert {"synthetic", "cave", "icvl", "folder"} <= set(found.scene_sources)
    assert {"rmse", "rrmse", "gfc", "de2000", "rmse@arad2016"} <= set(found.metrics)
    assert found.broken == []
    assert {offer.distribution for offer in found.reconstructors.values()} == {"specrec"}


def test_two_plugins_with_one_name_are_an_error_that_names_both() -> None:
    found = Registry()
    found.add(offering(metric("a"), metric("b")), "first")
    found.add(offering(metric("a")), "second")
    found.add(offering(metric("a")), "third")
    with pytest.raises(PluginError, match="first and second both offer 'a'"):
        found.metric("a")
    assert found.metric("b").name == "b"
    assert "a" not in found.metrics


def test_a_plugin_that_fails_to_import_is_listed_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad_plugin.py").write_text("raise RuntimeError('no luck')")
    (tmp_path / "good_plugin.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint(name, f"{name}_plugin", "specrec") for name in ("bad", "good", "gone")]
    found = load_plugins(points)
    assert [(one.name, one.reason) for one in found.broken] == [
        ("bad", "it cannot be imported (RuntimeError: no luck)"),
        ("gone", "it cannot be imported (ModuleNotFoundError: No module named 'gone_plugin')"),
    ]


def test_a_hook_that_raises_or_is_misspelt_breaks_its_plugin_alone() -> None:
    def fails() -> list[Metric]:
        raise ValueError("sorry")

    found = Registry()
    found.add(SimpleNamespace(specrec_metrics=hookimpl(fails)), "raising")
    found.add(SimpleNamespace(__name__="misspelt", specrec_metrisc=hookimpl(lambda: [])), "misspelt")
    found.add(offering(metric("a")), "fine")
    assert [one.distribution for one in found.broken] == ["raising", "misspelt"]
    assert "sorry" in found.broken[0].reason
    assert "specrec_metrisc" in found.broken[1].reason
    assert set(found.metrics) == {"a"}


@pytest.mark.parametrize("offered", ["a word", int, None])
def test_what_is_no_method_metric_or_source_is_broken(offered: object) -> None:
    found = Registry()
    for hook in ("specrec_reconstructors", "specrec_metrics", "specrec_scene_sources"):
        named = SimpleNamespace(name=f"odd {hook}", value=offered)
        found.add(SimpleNamespace(**{hook: hookimpl(lambda named=named: [named])}), "odd")
        found.add(SimpleNamespace(**{hook: hookimpl(lambda: [offered])}), "odder")
    assert len(found.broken) == 6
    assert found.reconstructors == found.metrics == found.scene_sources == {}


def test_a_method_that_needs_a_module_of_a_missing_package_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    from specrec_arad.method import Arad

    monkeypatch.setattr(Arad, "requires", ("nope.sub",))
    found = Registry()
    found.add(SimpleNamespace(specrec_reconstructors=hookimpl(lambda: [Arad])), "specrec")
    assert "nope" in found.broken[0].reason


def test_a_method_whose_module_is_missing_is_broken_with_that_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from specrec_arad.method import Arad

    monkeypatch.setattr(Arad, "requires", ("spams_that_is_not_there",))
    found = Registry()
    found.add(SimpleNamespace(specrec_reconstructors=hookimpl(lambda: [Arad])), "specrec")
    with pytest.raises(PluginError, match="needs the module 'spams_that_is_not_there'"):
        found.reconstructor("arad")


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown method 'gann'; did you mean 'gan'"):
        registry().reconstructor("gann")


def loaded_by(code: str) -> set[str]:
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_specrec_and_listing_methods_imports_nothing_heavy() -> None:
    assert not loaded_by("import specrec") & HEAVY
    listing = "from specrec.cli.methods import command; command.main([], standalone_mode=False)"
    assert not loaded_by(listing) & HEAVY


def test_help_loads_no_plugin() -> None:
    shown = "from specrec.cli import command; command.main(['--help'], standalone_mode=False)"
    assert not {name for name in loaded_by(shown) if name.startswith("specrec_")}


@pytest.mark.parametrize("words", [["-c", "import specrec"], ["-m", "specrec", "--help"], ["-m", "specrec", "methods"]])
def test_starting_takes_under_half_a_second(words: list[str]) -> None:
    seconds = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        after = os.times()  # of the processor: another program's work does not count
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(seconds) < 0.5
