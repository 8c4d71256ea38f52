"""The name of a new plugin and the files that are written: what is accepted works, and what is refused says why."""

import ast
import keyword
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.cli import main
from specrec.errors import SpecrecError, UsageError
from specrec.interfaces import INTERFACE_VERSION
from specrec.registry import Broken, Plugin, Registry, registry
from specrec.scaffold import KINDS, check_name, write_plugin
from specrec.scaffold.names import LONGEST
from specrec.scaffold.writing import filled

LONG_NAME = "a" + 7 * "-bcd" + "-ef"
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["specrec", *map(str, words)])
        with pytest.raises(SystemExit) as leaving:
            main()
        said = capsys.readouterr()
        return int(leaving.value.code or 0), said.out, said.err

    return run


def refused(outcome: tuple[int, str, str], words: str, folder: Path) -> None:
    code, out, err = outcome
    assert code == 2, err
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""
    assert list(folder.iterdir()) == []


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=LONGEST + 9) | st.from_regex(r"\A(specrec-)?[a-z0-9_.@/-]{1,9}\Z"), st.sampled_from(KINDS))
def test_what_is_accepted_as_a_name_is_one_everywhere(name: str, kind: str) -> None:
    try:
        bare = check_name(name, kind, Registry())
    except UsageError as error:
        assert repr(name.removeprefix("specrec-")) in str(error) or repr(name) in str(error)
        return
    assert name in (bare, f"specrec-{bare}")
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", bare)  # a distribution's name may be that
    texts = filled(bare, kind)
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    assert project["name"] == f"specrec-{bare}"
    (module,) = project["entry-points"]["specrec"].values()
    assert module.isidentifier()
    assert not keyword.iskeyword(module)
    assert f"{module}/__init__.py" in texts
    for path in texts:
        assert ".." not in Path(path).parts
        assert not Path(path).is_absolute()
        if path.endswith(".py"):
            ast.parse(texts[path])


@pytest.mark.parametrize("name", ["true", "none", "class", "scene", "parameter", "network", "d-65"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_word_of_the_language_or_of_specrec_hides_nothing(name: str, kind: str) -> None:
    for path, text in filled(name, kind).items():
        if path.endswith(".py"):
            tree = ast.parse(text)
            imported = {
                alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                for alias in node.names
            }  # fmt: skip
            made = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
            assert not imported & made
            assert not any(keyword.iskeyword(word) for word in made)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("My_Method", "'my-method' would be one"),
        ("RidgeNet", "'ridge-net' would be one"),
        ("9lives", "begins with a lower-case letter"),
        ("", "begins with a lower-case letter"),
        ("specrec-", "begins with a lower-case letter"),
        ("../up", "'up' would be one"),
        ("a--b", "single hyphens; 'a-b' would be one"),
        ("rmse@mine", "'rmse-mine' would be one"),
        ("a" * (LONGEST + 1), f"at most {LONGEST}; choose a shorter one"),
        ("linear", "there is a method 'linear' already, of specrec; choose another name"),
        ("specrec-linear", "there is a method 'linear' already"),
        ("classical", "there is a module specrec_classical already"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_with_the_way_out(
    cli: Cli, tmp_path: Path, name: str, words: str
) -> None:
    refused(cli("plugin", "new", "--", name), words, tmp_path)


def test_names_of_other_kinds_are_free_and_their_own_are_not(cli: Cli, tmp_path: Path) -> None:
    refused(cli("plugin", "new", "psnr", "--kind", "metric"), "there is a metric 'psnr' already", tmp_path)
    refused(cli("plugin", "new", "cave", "--kind", "scenes"), "there is a data set 'cave' already", tmp_path)
    refused(cli("plugin", "new", "gan", "--kind", "network"), "there is a method 'gan' already", tmp_path)
    assert check_name("cave", "method", registry()) == "cave"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["metrics", "datasets"])
def test_the_entry_points_of_specrec_itself_are_taken(cli: Cli, tmp_path: Path, name: str, kind: str) -> None:
    refused(cli("plugin", "new", name, "--kind", kind), f"there is a plugin 'specrec-{name}' already", tmp_path)


@pytest.mark.parametrize("plugin", [Plugin("mine", "colours", "1"), Plugin("colours", "Specrec_Mine", "1", True)])
def test_an_entry_point_or_a_distribution_of_others_is_taken_whatever_it_offers(plugin: Plugin) -> None:
    with pytest.raises(UsageError, match=r"there is a plugin .* already, of .*; choose another name than 'mine'"):
        check_name("mine", "metric", Registry(plugins=[plugin]))


def test_the_name_of_a_distribution_that_is_no_plugin_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "specrec_my_set-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: specrec-my-set\nVersion: 1.0\n")
    assert check_name("my-set", "scenes", Registry()) == "my-set"
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="a distribution specrec-my-set is installed already; choose another name"):
        check_name("my-set", "scenes", Registry())


def test_the_name_of_a_broken_plugin_is_taken_too() -> None:
    installed = Registry(broken=[Broken("mine", "specrec-mine", "it cannot be imported")])
    with pytest.raises(UsageError, match="specrec-mine uses the name 'mine' already"):
        check_name("mine", "method", installed)


def test_an_unknown_kind_is_refused_with_the_kinds_there_are(cli: Cli, tmp_path: Path) -> None:
    refused(cli("plugin", "new", "mine", "--kind", "metod"), "method, network, metric, scenes", tmp_path)


def test_the_command_says_what_to_do_next(cli: Cli, tmp_path: Path) -> None:
    code, out, err = cli("plugin", "new", "specrec-my-ridge")
    assert (code, err) == (0, "")
    assert [line.strip() for line in out.splitlines()] == [
        "wrote specrec-my-ridge; next:",
        "cd specrec-my-ridge",
        'python -m pip install -e ".[test]"',
        "python -m pytest",
        "specrec plugin test specrec-my-ridge",
        "specrec bench --methods my-ridge,linear",
    ]
    assert (tmp_path / "specrec-my-ridge" / "specrec_my_ridge" / "method.py").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["specrec-my-ridge"]


def test_a_folder_that_holds_something_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "specrec-mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    code, out, err = cli("plugin", "new", "mine")
    assert (code, out) == (2, "")
    assert "specrec-mine is there already and holds files; name another folder with -o" in err
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    code, _, err = cli("plugin", "new", "mine", "-o", folder / "notes.txt")
    assert code == 2
    assert "is a file" in err


def test_an_empty_folder_is_filled_where_it_is(cli: Cli, tmp_path: Path) -> None:
    code, _, err = cli("plugin", "new", "mine", "-o", ".")
    assert code == 0, err
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".github", ".gitignore", "LICENSE", "README.md", "pyproject.toml", "specrec_mine", "tests",
    ]  # fmt: skip


def test_the_folders_above_that_were_made_go_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()

    def fail(self: Path, *_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28), str(self))

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(SpecrecError, match=r"cannot write .*a.b.c: No space left"):
        write_plugin("mine", folder=tmp_path / "a" / "b" / "c")
    assert list(tmp_path.rglob("*")) == [tmp_path / "a"]


def test_folders_above_are_made(cli: Cli, tmp_path: Path) -> None:
    code, _, err = cli("plugin", "new", "mine", "-o", "a/b/../c")
    assert code == 0, err
    assert (tmp_path / "a" / "c" / "pyproject.toml").is_file()


def test_a_link_to_nothing_and_an_empty_name_are_no_folders(cli: Cli, tmp_path: Path) -> None:
    refused(cli("plugin", "new", "mine", "-o", ""), "-o names no folder; leave it out for specrec-mine", tmp_path)
    (tmp_path / "link").symlink_to("nowhere")
    code, _, err = cli("plugin", "new", "mine", "-o", "link")
    assert code == 2
    assert "link is a link to nowhere, which is not there; name another folder with -o" in err
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("failing", ["write_text", "rename"])
def test_nothing_is_left_of_a_folder_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool, failing: str
) -> None:
    target = tmp_path / "there"
    if is_there:
        target.mkdir()
    real = getattr(Path, failing)

    def fail(self: Path, other: object, *rest: object, **more: object) -> object:
        if "pyproject" in str(self) or self.name.startswith(".specrec-"):
            raise OSError(28, os.strerror(28), str(self))
        return real(self, other, *rest, **more)

    monkeypatch.setattr(Path, failing, fail)
    with pytest.raises(SpecrecError, match=r"cannot write .*there: No space left"):
        write_plugin("mine", folder=target)
    assert list(tmp_path.rglob("*")) == ([target] if is_there else [])


@pytest.mark.parametrize(("kind", "longest"), [("method", 80), ("network", 100), ("metric", 80), ("scenes", 80)])
def test_the_code_of_a_new_plugin_is_short(kind: str, longest: int) -> None:
    code = {path: text for path, text in filled("mine", kind).items() if path.startswith("specrec_mine/")}
    lines = sum(len(text.splitlines()) for path, text in code.items() if not path.endswith("__init__.py"))
    assert 30 < lines <= longest
    assert f'SPECREC_INTERFACE = "{INTERFACE_VERSION}"' in code["specrec_mine/__init__.py"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["mine", LONG_NAME])
def test_the_files_pass_their_own_linter(kind: str, name: str, tmp_path: Path) -> None:
    ruff = shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    assert len(LONG_NAME) == LONGEST
    folder = write_plugin(name, kind, tmp_path / "new")
    numpydoc = ("--config", "lint.pydocstyle.convention='numpy'")
    stricter = ["check", "--select", "D,N,NPY,PTH,RUF,SIM", "--ignore", "D10,D401", *numpydoc]
    for words in (["check"], stricter, ["format", "--check"]):
        done = subprocess.run(
            [ruff, *words, "--no-cache", "."], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
