"""The example of a plugin in docs/ is installed as any plugin is, passes its own tests, and has its row in a table."""

import shutil
from pathlib import Path

import pytest
from plugin_environment import ROOT, PluginEnvironment

EXAMPLE = ROOT / "docs" / "examples" / "specrec-example"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> PluginEnvironment:
    return PluginEnvironment(tmp_path_factory.mktemp("environment") / "venv")


@pytest.fixture(scope="module")
def example(environment: PluginEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the distribution, installed."""
    folder = tmp_path_factory.mktemp("example") / EXAMPLE.name
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("scenes", ".*_cache", "__pycache__"))
    environment.install(folder)
    return folder


def test_its_own_tests_pass(example: Path, environment: PluginEnvironment) -> None:
    done = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", folder=example)
    assert " passed" in done.stdout


@pytest.mark.parametrize(
    ("listing", "name"),
    [(("methods",), "local-maps"), (("metrics",), "rmse@worst-band"), (("data", "list"), "npz-folder")],
)
def test_its_parts_are_listed(
    listing: tuple[str, ...], name: str, example: Path, environment: PluginEnvironment
) -> None:
    listed = environment.run("-m", "specrec", *listing, folder=example).stdout
    assert name in listed
    assert "specrec-example" in listed or listing == ("metrics",)
    assert "broken" not in listed


def test_the_commands_of_its_readme_give_a_table(example: Path, environment: PluginEnvironment, tmp_path: Path) -> None:
    readme = (example / "README.md").read_text("utf-8")
    commands = [line.strip().split() for line in readme.splitlines() if line.startswith("    ")]
    assert [words[0] for words in commands] == ["python", "python", "python", "specrec", "specrec"]
    environment.run(example / commands[2][1], *commands[2][2:], folder=tmp_path)
    verified = environment.run("-m", "specrec", *commands[3][1:], folder=tmp_path).stdout
    assert "6 of 6 scenes can be used" in verified
    lines = environment.run("-m", "specrec", *commands[4][1:], "--jobs", 0, folder=tmp_path).stdout.splitlines()
    (head,) = [line.split() for line in lines if line.startswith("method ")]
    assert head[1:] == ["rmse\N{DOWNWARDS ARROW}", "rmse@worst-band\N{DOWNWARDS ARROW}"]
    rows = {line.split()[0]: line.split()[2:] for line in lines if line.split()[1:2] == ["weighted"]}
    assert set(rows) == {"local-maps", "linear"}
    for pooled, worst in ([float(cell.strip("*=")) for cell in cells] for cells in rows.values()):
        assert 0.0 < pooled < worst


def test_its_interface_and_dependency_are_those_of_today() -> None:
    import tomllib

    from specrec.interfaces import unserved

    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    (needed,) = [
        line.split('"')[1]
        for line in (EXAMPLE / "specrec_example" / "__init__.py").read_text("utf-8").splitlines()
        if line.startswith("SPECREC_INTERFACE")
    ]
    assert unserved(needed) is None
    assert [one for one in project["dependencies"] if one.startswith("specrec>=")]


def test_it_has_the_licence_and_the_workflow_that_a_new_plugin_has() -> None:
    from specrec.scaffold.writing import filled

    written = filled("example", "method")
    workflow = ".github/workflows/test.yml"
    assert (EXAMPLE / workflow).read_text("utf-8") == written[workflow]
    wanted = written["LICENSE"].replace("YOUR NAME", "2026 the specrec authors")
    assert (EXAMPLE / "LICENSE").read_text("utf-8") == wanted == (ROOT / "LICENSE").read_text("utf-8")
