"""``SPECREC_PLUGINS`` selects plugins, or blocks some."""

import pytest
from strangers import Site

from specrec.errors import PluginError, UsageError
from specrec.registry import Registry, load_plugins
from specrec.registry.loading import installed


@pytest.fixture
def load(site: Site, monkeypatch: pytest.MonkeyPatch, untried: None) -> "object":
    for name in ("one", "two"):
        site.good(name)
    own = [point for point in installed() if point.dist is not None and point.dist.name == "specrec"]

    def choose(text: str) -> Registry:
        monkeypatch.setenv("SPECREC_PLUGINS", text)
        return load_plugins([*own, *site.points()])

    return choose


@pytest.mark.parametrize(
    ("text", "theirs"),
    [
        ("", {"one", "two"}),
        (" , ", {"one", "two"}),
        ("one", {"one"}),
        ("specrec-one", {"one"}),
        ("Specrec_One, two", {"one", "two"}),
        ("-one", {"two"}),
        ("-specrec-one,-two", set()),
        ("one,two,-two", {"one"}),
        ("specrec", set()),
    ],
)
def test_names_select_and_a_minus_blocks(load, text: str, theirs: set[str]) -> None:
    found = load(text)
    assert {name for name in ("one", "two") if name in found.reconstructors} == theirs
    assert {plugin.name for plugin in found.plugins if plugin.blocked} == {"one", "two"} - theirs
    assert {"gan", "mean"} <= set(found.reconstructors)
    assert "rmse" in found.metrics
    assert found.broken == []


def test_own_plugins_are_left_out_only_by_name(load) -> None:
    found = load("-specrec-gan")
    assert "gan" not in found.reconstructors
    assert "mean" in found.reconstructors
    with pytest.raises(PluginError, match="method 'one' of specrec-one cannot be used: SPECREC_PLUGINS leaves it out"):
        load("two").reconstructor("one")
    with pytest.raises(UsageError, match=r"unknown method 'three'.*left out by SPECREC_PLUGINS: one"):
        load("two").reconstructor("three")


def test_an_unknown_name_is_refused_with_the_nearest(load) -> None:
    with pytest.raises(UsageError, match="SPECREC_PLUGINS names 'onne', and no plugin is called that; did you mean"):
        load("onne")
    with pytest.raises(UsageError, match="SPECREC_PLUGINS names 'onne'"):
        load("-onne")
