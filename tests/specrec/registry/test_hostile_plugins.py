"""Whatever a plugin does while it is loaded, the others work, and the registry knows what happened."""

import pytest
from strangers import GOOD, Site

from specrec.errors import PluginError, UsageError
from specrec.registry.loading import load_installed

HEAD = "from specrec import Metric, Reconstructor, Score, hookimpl\n"

BROKEN = {
    "raises": ("raise RuntimeError('no luck')", "it cannot be imported (RuntimeError: no luck)"),
    "leaves": ("raise SystemExit(4)", "it cannot be imported (SystemExit: 4)"),
    "own-kind": ("class Odd(BaseException): pass\nraise Odd('odd')", "it cannot be imported (Odd: odd)"),
    "syntax": ("def :", "it cannot be imported (SyntaxError"),
    "needs": ("import not_there_at_all", "ModuleNotFoundError: No module named 'not_there_at_all'"),
    "newer": (
        "from specrec import FromTheFuture",
        "it may need another specrec, this one has version 1.1 of the interface",
    ),
    "version": ("SPECREC_INTERFACE = '1.9'\nspecrec_later = 1", "it needs version 1.9 of the interface, and this"),
    "no-version": ("SPECREC_INTERFACE = 2", 'its SPECREC_INTERFACE is a word such as "1.1", not 2'),
    "misspelt": (
        HEAD + "@hookimpl\ndef specrec_metrisc(): return []",
        "there is no hook 'specrec_metrisc'; did you mean 'specrec_metrics'?",
    ),
    "unmarked": (
        "def specrec_metrics(): return []",
        "specrec_metrics is not marked as a hook; write @specrec.hookimpl above it",
    ),
    "misspelt-and-unmarked": (
        "def specrec_reconstructor(): return []",
        "specrec_reconstructor is no hook; did you mean specrec_reconstructors (with @hookimpl)?",
    ),
    "long-version": ("SPECREC_INTERFACE = '9' * 10**6", "its SPECREC_INTERFACE is a word such"),
    "endless": (
        HEAD + "@hookimpl\ndef specrec_metrics():\n while True: yield object()",
        "its hook for a metric fails: it gives over 1000 things",
    ),
    "many": (HEAD + "@hookimpl\ndef specrec_metrics(): return [3] * 900", "a metric of it: 3 is not a Metric"),
    "arguments": (
        HEAD + "@hookimpl\ndef specrec_metrics(all): return []",
        "Argument(s) {'all'} are declared in the hookimpl but can not be found in the hookspec",
    ),
    "hook-raises": (
        HEAD + "@hookimpl\ndef specrec_metrics(): raise ValueError('sorry')",
        "its hook for a metric fails: ValueError: sorry",
    ),
    "hook-leaves": (
        HEAD + "@hookimpl\ndef specrec_scene_sources(): raise SystemExit",
        "its hook for a data set fails: SystemExit",
    ),
    "no-list": (
        HEAD + "@hookimpl\ndef specrec_reconstructors(): return Reconstructor",
        "specrec_reconstructors returns a list, not <class",
    ),
    "terminal": (
        "raise RuntimeError('\\n\\x1b[31mred\\x1b[0m\\tand\\x07 ' + 'long ' * 9999)",
        "it cannot be imported (RuntimeError: red and long long",
    ),
    "mute": (
        "class Mute(Exception):\n def __str__(self): raise self\nraise Mute",
        "it cannot be imported (Mute, whose message cannot be read)",
    ),
    "no-attribute": (
        HEAD + "class Odd:\n @property\n def name(self): raise ValueError('hidden')\n"
        "@hookimpl\ndef specrec_metrics(): return [Odd()]",
        "a metric of it: ",
    ),
}


@pytest.mark.usefixtures("untried")
@pytest.mark.parametrize("kind", BROKEN)
def test_a_plugin_that_cannot_be_used_is_listed_with_its_reason_and_the_rest_goes_on(site: Site, kind: str) -> None:
    code, reason = BROKEN[kind]
    site.good("zebra")
    site.install(kind, code)
    found = site.load()
    assert set(found.reconstructors) == {"zebra"}
    assert set(found.metrics) == {"of-zebra"}
    [broken] = found.broken
    assert (broken.name, broken.distribution) == (kind, f"specrec-{kind}")
    assert reason in broken.reason
    assert broken.reason.isprintable()
    assert len(broken.reason) < 600


@pytest.mark.usefixtures("untried")
def test_what_one_hook_offers_beside_something_wrong_is_kept(site: Site) -> None:
    code = GOOD.format(name="mine").replace(
        "return [Grey]", "return [Grey, type('Other', (Grey,), {'name': 'A B'}), 3]"
    )
    site.install("mine", code)
    found = site.load()
    assert set(found.reconstructors) == {"mine"}
    assert [one.reason.partition(",")[0] for one in found.broken] == [
        "a method of it: its name is lower case letters and digits with . _ - between them",
        "a method of it: 3 is not a Reconstructor class; inherit specrec.Reconstructor",
    ]


@pytest.mark.usefixtures("untried")
def test_names_of_specrec_stay_its_own_and_nothing_else_of_the_claimant_is_lost(site: Site) -> None:
    from specrec.registry import load_plugins
    from specrec.registry.loading import installed

    site.install("aa", GOOD.format(name="gan"))  # before specrec's own in the order of names
    found = load_plugins(list({*installed(), *site.points()}))
    assert found.reconstructors["gan"].distribution == "specrec"
    assert found.metrics["of-gan"].distribution == "specrec-aa"
    [broken] = found.broken
    assert broken.reason == "the name 'gan' is taken by specrec; give this method another name"
    assert (broken.name, broken.distribution, broken.kind) == ("gan", "specrec-aa", "method")


@pytest.mark.usefixtures("untried")
def test_two_strangers_with_one_name_are_both_unusable_under_it_and_both_named(site: Site) -> None:
    site.install("one", GOOD.format(name="same"))
    site.install("two", GOOD.format(name="same").replace("of-same", "of-two"))
    found = site.load()
    assert not found.reconstructors
    assert set(found.metrics) == {"of-same", "of-two"}
    with pytest.raises(PluginError, match="specrec-one and specrec-two both offer 'same'; uninstall one of them"):
        found.reconstructor("same")


@pytest.mark.usefixtures("untried")
def test_asking_for_what_a_broken_plugin_may_offer_names_it(site: Site) -> None:
    site.install("lost", "raise RuntimeError('no luck')")
    found = site.load()
    for name in ("lost", "specrec-lost"):
        with pytest.raises(PluginError, match="of specrec-lost cannot be used: it cannot be imported"):
            found.reconstructor(name)
    with pytest.raises(UsageError, match=r"unknown method 'other'.*broken and so left out: lost \(specrec-lost\)"):
        found.reconstructor("other")


@pytest.mark.usefixtures("untried")
def test_a_plugin_that_offers_nothing_gets_a_remark(site: Site) -> None:
    site.install("empty", "")
    found = site.load()
    assert found.broken == []
    assert [(one.name, one.words) for one in found.remarks] == [
        ("empty", "it offers nothing: none of its hooks returns anything")
    ]


def test_damaged_metadata_of_one_distribution_costs_no_other_its_plugins(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from specrec.registry.loading import installed

    site.good("zebra")
    site.install("bad", "", points="[specrec]\nno equals sign here\n")
    names = {point.name for point in installed()}
    assert {"zebra", "specrec-gan"} <= names


def test_a_damaged_list_of_entry_points_is_broken_if_it_may_be_one_of_plugins(site: Site) -> None:
    site.good("zebra")
    site.install("bad", "", points="[specrec]\nno equals sign here\n")
    site.install("other", "", points="[console_scripts]\nno equals sign here\n")
    site.install("bytes", "")
    (site.folder / "specrec_bytes-1.5.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe")
    broken = {one.distribution: one.reason for one in load_installed().broken}
    reason = "its entry_points.txt cannot be read; reinstall or remove it"
    assert broken == {"specrec-bad": reason, "specrec-bytes": reason}


@pytest.mark.usefixtures("untried")
def test_a_distribution_without_a_name_is_called_as_its_folder(site: Site) -> None:
    site.install("lost", "raise RuntimeError('no luck')")
    (site.folder / "specrec_lost-1.5.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\n")
    found = site.load()
    assert [one.distribution for one in found.broken] == ["specrec_lost-1.5.dist-info"]
    assert [one.distribution for one in found.plugins] == ["specrec_lost-1.5.dist-info"]


@pytest.mark.usefixtures("untried")
@pytest.mark.parametrize("name", ["specrec_clean", "specrec_main", "specrec_metric"])
def test_a_function_that_only_begins_like_a_hook_is_the_plugins_own(site: Site, name: str) -> None:
    site.install("mine", GOOD.format(name="mine") + f"\ndef {name}(): raise ValueError\n")
    found = site.load()
    assert set(found.reconstructors) == {"mine"}
    assert found.broken == found.remarks == []


@pytest.mark.usefixtures("untried")
def test_who_offers_only_a_contested_name_does_not_offer_nothing(site: Site) -> None:
    metric = HEAD + "@hookimpl\ndef specrec_metrics():\n return [Metric('a', '1', '0..1', False, 'x', '', len)]\n"
    for name in ("one", "two", "three"):
        site.install(name, metric)
    found = site.load()
    assert found.remarks == []
    assert [one.reason for one in found.broken] == [
        "specrec-one and specrec-three both offer 'a'; uninstall one of them",
        "specrec-two offers 'a', which others offer too; uninstall all but one",
    ]


@pytest.mark.usefixtures("untried")
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("two words", "its entry point is no module, but 'two words'; write it as in mine = \"specrec_mine\""),
        ("hostile_mine:Grey", "its entry point names the class Grey; let it name the module with the hooks, as in"),
        ("hostile_mine:score", "its entry point names the function score; let it name the module with the hooks"),
    ],
)
def test_an_entry_point_that_names_no_module_is_broken_with_what_to_write(site: Site, value: str, reason: str) -> None:
    site.install("mine", GOOD.format(name="mine"), points=f"[specrec]\nmine = {value}\n")
    [broken] = site.load().broken
    assert broken.reason.startswith(reason)
