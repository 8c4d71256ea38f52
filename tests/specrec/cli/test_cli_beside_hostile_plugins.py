"""The command line in a process of its own, beside plugins that do everything wrong at once."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from strangers import GOOD, Site

HOOK = "from specrec import hookimpl\n@hookimpl\n"
KINDS = {
    "raises": "raise RuntimeError('no luck')",
    "leaves": "raise SystemExit(0)",
    "kills": "import os\nos._exit(0)",
    "newer": "SPECREC_INTERFACE = '1.9'",
    "misspelt": HOOK + "def specrec_metrisc(): return []",
    "claims": GOOD.format(name="gan"),
    "prints": "import os, sys\nprint('hello')\nsys.__stdout__.write('hello\\n')\nos.write(1, b'hello\\n')\n"
    + GOOD.format(name="prints"),
}


@pytest.fixture
def crowd(site: Site) -> Site:
    """A plugin of each kind, and one that is fine."""
    for name, code in KINDS.items():
        site.install(name, code)
    site.good("fine")
    return site


def test_every_listing_names_what_is_broken_and_the_rest_works(crowd: Site) -> None:
    listed = crowd.run("methods")
    assert listed.returncode == 3
    for words in (
        "fine grey [specrec-fine 1.5]",
        "raises: broken (specrec-raises): it cannot be imported (RuntimeError: no luck)",
        "leaves: broken (specrec-leaves): it cannot be imported (SystemExit: 0)",
        "kills: broken (specrec-kills): importing it kills the process (exit code 0)",
        "newer: broken (specrec-newer): it needs version 1.9 of the interface, and this specrec has 1.1; upgrade",
        "misspelt: broken (specrec-misspelt): there is no hook 'specrec_metrisc'; did you mean 'specrec_metrics'?",
        "gan: broken (specrec-claims): the name 'gan' is taken by specrec; give this method another name",
        "prints: remark (specrec-prints): prints on import, which would spoil what specrec writes: hello",
    ):
        assert words in " ".join(listed.stdout.split()), words
    assert "\nhello" not in listed.stdout
    assert listed.stderr.startswith("specrec: error: 6 plugins are broken: ")
    assert len(listed.stderr.splitlines()) == 1
    assert set(listed.stderr.partition("broken: ")[2].strip().split(", ")) == {
        *(f"{name} (specrec-{name})" for name in KINDS if name not in ("claims", "prints")),
        "gan (specrec-claims)",
    }
    doctor = crowd.run("doctor")
    assert doctor.returncode == 3
    for words in (
        "interface: 1.1",
        "SPECREC_PLUGINS: not set",
        "plugin fine (specrec-fine 1.5): methods fine; metrics of-fine",
        "plugin claims (specrec-claims 1.5): metrics of-gan",
        "plugin raises (specrec-raises 1.5): nothing that can be used",
        "  kills (specrec-kills): importing it kills the process",
        "remark on prints (specrec-prints): prints on import",
    ):
        assert words in doctor.stdout
    metrics = crowd.run("metrics", "--format", "json")
    assert metrics.returncode == 0
    assert {"rmse", "of-fine", "of-gan"} <= {row["id"] for row in json.loads(metrics.stdout)}
    assert "raises: broken (specrec-raises)" in metrics.stderr


def test_plugins_are_chosen_by_the_environment(crowd: Site) -> None:
    chosen = crowd.run("doctor", SPECREC_PLUGINS="fine")
    assert chosen.returncode == 0
    assert "plugin kills (specrec-kills 1.5): left out by SPECREC_PLUGINS" in chosen.stdout
    refused = crowd.run("methods", SPECREC_PLUGINS="-fin")
    assert refused.returncode == 2
    assert refused.stderr.startswith("specrec: error: SPECREC_PLUGINS names 'fin', and no plugin is called that;")
    assert len(refused.stderr.splitlines()) == 1


def test_what_a_plugin_prints_while_the_process_ends_stays_out_of_what_is_piped_on(site: Site) -> None:
    printing = "import atexit, os\natexit.register(lambda: (print('late'), os.write(1, b'later\\n')))\n"
    site.install("late", printing + GOOD.format(name="late"))
    done = site.run("metrics", "--format", "json", SPECREC_TRIED_PLUGINS="{}")
    assert done.returncode == 0, done.stderr
    assert "of-late" in [metric["id"] for metric in json.loads(done.stdout)]
    assert sorted(done.stderr.splitlines()) == ["late", "later"]


BAD = """
import numpy as np
from specrec import Parameter, Reconstructor, hookimpl

class Bad(Reconstructor):
    name = "bad"
    summary = "bad"
    parameters = {"does": Parameter("nothing", "what")}
    receptive_field = 1

    def fit(self, scenes, context):
        print("hello")
        if self.settings["does"] == "raises": raise RuntimeError("it broke")
        if self.settings["does"] == "leaves": raise SystemExit(0)
        return self

    def reconstruct(self, rgb):
        print("hello")
        shape = (*rgb.shape[:2], 31)
        if self.settings["does"] == "late": raise RuntimeError("it broke")
        if self.settings["does"] == "later": raise SystemExit(0)
        if self.settings["does"] == "list": return []
        if self.settings["does"] == "nan": return np.full(shape, np.nan, np.float32)
        if self.settings["does"] == "bands": return np.zeros((*rgb.shape[:2], 5), np.float32)
        return np.full(shape, 0.5, np.float32)

    def state(self):
        if self.settings["does"] == "config": return {}, {"a": object()}
        if self.settings["does"] == "state": raise RuntimeError("no state")
        return {"a": np.zeros(3, np.float32)}, {}

    @classmethod
    def from_state(cls, settings, arrays, config):
        if settings["does"] == "from_state": raise AttributeError("not this")
        return cls(**settings)

@hookimpl
def specrec_reconstructors():
    return [Bad]
"""


@pytest.mark.usefixtures("untried")
def test_run_and_train_say_in_one_sentence_what_a_method_did_and_leave_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from importlib import import_module

    from specrec.cli import main
    from specrec.registry import registry

    found = registry()
    site.install("bad", BAD)
    found.add(import_module("hostile_bad"), "specrec-bad", "1.5", "bad")
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save("photo.png")

    def cli(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["specrec", *words])
        with pytest.raises(SystemExit) as leaving:
            main()
        said = capsys.readouterr()
        assert said.out == ""
        return int(leaving.value.code or 0), said.err.replace("hello\n", "")

    def train(does: str) -> tuple[int, str]:
        return cli("train", f"bad[does={does}]", "-d", "synthetic[scenes=2,size=32]", "-o", f"{does}.safetensors", "-q")

    try:
        for does, words in {
            "raises": "RuntimeError: it broke",
            "leaves": "SystemExit: 0",
            "config": "TypeError: Object of type object is not JSON",
            "state": "RuntimeError: no state",
        }.items():
            code, said = train(does)
            assert code == 1
            assert said.startswith(f"specrec: error: training bad[does={does}] failed: {words}")
            assert len(said.splitlines()) == 1
        assert not [path for path in tmp_path.iterdir() if "safetensors" in path.name]
        for does, words in {
            "late": "reconstructing with bad failed: RuntimeError: it broke",
            "later": "bad failed: SystemExit: 0",
            "list": "bad answered with list, not a NumPy array",
            "nan": "NaN",
            "bands": "(4, 5, 5)",
            "from_state": "from_state.safetensors does not fit this version of 'bad': AttributeError: not this",
        }.items():
            assert train(does)[0] == 0
            code, said = cli("run", "bad", "photo.png", "--weights", f"{does}.safetensors", "-q")
            assert code == 1, does
            assert words in said
            assert "Traceback" not in said
            assert len(said.splitlines()) == 1
            assert not Path("photo.h5").exists()
        code, said = cli("run", "bad", "photo.png")
        assert code == 2
        assert "there are no weights for 'bad'; train some with" in said
    finally:
        found.reconstructors.pop("bad", None)


def test_a_plugin_of_which_several_things_are_broken_counts_once() -> None:
    from specrec.cli.plugins import leave_if_broken
    from specrec.errors import PartialFailureError
    from specrec.registry import Broken, Registry

    found = Registry(broken=[Broken("a", "specrec-a", "one thing"), Broken("a", "specrec-a", "another")])
    with pytest.raises(PartialFailureError, match=r"^1 plugin is broken: a \(specrec-a\)$"):
        leave_if_broken(found)
