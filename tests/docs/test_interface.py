"""The public surface is what its description says, its version tells of every change, and plugins keep to it."""

import ast
import importlib
import sys
from pathlib import Path

import pytest

import specrec
from specrec.interfaces import unserved

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))
import make_interface_page as page  # noqa: E402 - it lies beside the pages
import public_surface  # noqa: E402

PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
NAMES = sorted(
    f"{module}.{name}" for module in public_surface.PROMISED for name in public_surface.read_module(module).names
)


def described(code: str) -> public_surface.Surface:
    (node,) = ast.parse(code).body
    return public_surface.describe("a.b", node)


def changes(before: str, after: str) -> page.Changes:
    return page.compare(described(before), described(after))


def test_the_description_is_of_this_code() -> None:
    written = page.DESCRIPTION.read_text("utf-8")
    if written != page.text(page.surface(), page.interface_version()):
        found = page.compare(page.read(page.DESCRIPTION)[1], page.surface())
        way_out = page.problem() or f"Run {page.COMMAND}"
        pytest.fail(f"docs/interface.txt does not describe what is public.\n{found}\n{way_out}", pytrace=False)


def test_the_version_tells_of_what_changed_since_the_last_release() -> None:
    assert page.interface_version() == specrec.INTERFACE_VERSION
    wrong = page.problem()
    if wrong is not None:
        pytest.fail(wrong, pytrace=False)


def test_the_description_of_the_last_release_is_kept() -> None:
    head = page.RELEASED.read_text("utf-8").partition("\n")[0]
    assert f"as released with specrec {page.last_release()}" in head, f"run {page.COMMAND} --released"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_described_is_there(name: str) -> None:
    assert name in page.surface()
    module, _, attribute = name.rpartition(".")
    assert hasattr(importlib.import_module(module), attribute)


def test_all_of_the_package_itself_is_described() -> None:
    assert {f"specrec.{name}" for name in specrec.__all__} == {name for name in NAMES if name.count(".") == 1}


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_plugin_imports_only_what_is_described(path: Path) -> None:
    used = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "specrec":
            used |= {f"{node.module}.{alias.name}" for alias in node.names}
        if isinstance(node, ast.Import):  # whatever follows the module's name would escape this test
            used |= {alias.name for alias in node.names if alias.name.split(".")[0] == "specrec"}
    assert used - set(NAMES) == set()


@pytest.mark.parametrize(
    ("offered", "asked", "newer"),
    [("1.0", "1.2", False), ("1.2", "1.2", True), ("1.10", "1.2", True), ("2.1", "2.0", True), ("3.0", "2.0", True)],
)
def test_the_code_of_the_page_tells_versions_apart(
    offered: str, asked: str, newer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "interface.md").read_text("utf-8").partition("## Two versions at once")[2]
    code = "\n".join(line.removeprefix("    ") for line in text.splitlines() if line.startswith("    "))
    monkeypatch.setattr(specrec, "INTERFACE_VERSION", offered, raising=False)
    found: dict[str, object] = {}
    exec(code, found)
    assert (found["SPECREC_INTERFACE"], found["newer"]) == (asked, newer)


@pytest.mark.parametrize("name", sorted({path.relative_to(ROOT / "plugins").parts[0] for path in PLUGINS}))
def test_a_plugin_says_which_interface_it_needs(name: str) -> None:
    assert unserved(importlib.import_module(name).SPECREC_INTERFACE) is None


def test_a_function_is_described_with_kinds_defaults_and_types() -> None:
    assert described("def f(x: int, /, y: str = 'a', *rest, z: float = 1.0, **more) -> None: ...") == {
        "a.b": "function (x: int, /, y: str='a', *rest, z: float=1.0, **more) -> None"
    }


def test_a_class_is_described_with_all_that_can_be_seen_of_it() -> None:
    code = """
class Thing(Base):
    name: ClassVar[str]
    size: int
    limit = 3
    _hidden = 4

    def __init__(self, size):
        self.size = size
        self.done_: bool = False
        self.left, self.right = 1, 2
        self._secret = 5

    @property
    @abstractmethod
    def width(self) -> int: ...

    @classmethod
    def read(cls) -> Self: ...

    def _private(self): ...
"""
    assert described(code) == {
        "a.b": "class (Base)",
        "a.b.__init__": "constructor (self, size)",
        "a.b.done_": "attribute: bool",
        "a.b.left": "attribute",
        "a.b.limit": "attribute = 3",
        "a.b.name": "attribute: ClassVar[str]",
        "a.b.read": "classmethod method (cls) -> Self",
        "a.b.right": "attribute",
        "a.b.size": "attribute: int",
        "a.b.width": "abstract property -> int",
    }


def test_what_waits_is_a_function_and_a_setter_does_not_hide_its_property() -> None:
    assert described("async def f(a: int) -> str: ...") == {"a.b": "async function (a: int) -> str"}
    code = """
class Thing:
    async def read(self) -> int: ...

    @property
    def width(self) -> int: ...

    @width.setter
    def width(self, value: int) -> None: ...
"""
    assert described(code) == {
        "a.b": "class ()",
        "a.b.read": "async method (self) -> int",
        "a.b.width": "property -> int",
    }


@pytest.mark.parametrize(
    "code", ["class C:\n    if True:\n        def g(self): ...", "type b = int", "for b in (1, 2): pass"]
)
def test_what_cannot_be_described_is_refused(code: str) -> None:
    if code.startswith("type") and sys.version_info < (3, 12):
        pytest.skip("this Python has no such statement")
    with pytest.raises(ValueError, match="which this page cannot describe"):
        described(code)


def test_a_module_whose_statements_could_define_anything_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text("for name in ('a', 'b'):\n    globals()[name] = 1\n")
    with pytest.raises(ValueError, match=r"odd holds .for name in"):
        public_surface.read_module("odd", tmp_path)


def test_fields_keep_their_place_and_say_whether_they_are_required() -> None:
    code = """
@dataclass
class D:
    a: int = field(repr=False)
    kind: ClassVar[int] = 1
    b: list = field(default_factory=list)
"""
    found = described(code)
    assert found["a.b.a"] == "required field 1: int = field(repr=False)"
    assert found["a.b.b"] == "field 2: list = field(default_factory=list)"
    assert found["a.b.kind"] == "attribute: ClassVar[int] = 1"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(a): ...", "def f(a, b=1): ..."),
        ("def f(a): ...", "def f(a, *, b=1): ..."),
        ("def f(a, *, c): ...", "def f(a, *, b=1, c): ..."),
        ("@contextmanager\ndef f(a): ...", "@contextmanager\ndef f(a, b=1): ..."),
        ("def f(*, a: bool = False): ...", "def f(*, a: bool | Word = False): ..."),
        ("@hookspec\ndef f(): ...", "@hookspec\ndef f(registry): ..."),
        ("class C: ...", "class C:\n    def g(self): ..."),
        ("class C:\n    def __init__(self): ...", "class C:\n    def __init__(self, a=1): ..."),
        ("@dataclass\nclass C:\n    a: int", "@dataclass\nclass C:\n    a: int\n    b: int = 1"),
    ],
)
def test_what_only_adds_raises_the_minor_number(before: str, after: str) -> None:
    found = changes(before, after)
    assert found.added + found.widened
    assert not found.breaking
    assert "to 1.3;" in str(page.too_low("1.2", "1.2", found))
    assert page.too_low("1.3", "1.2", found) is None
    assert page.too_low("2.0", "1.2", found) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(a): ...", "def f(a, b): ..."),
        ("def f(a): ...", "def f(b=1, a=2): ..."),
        ("def f(a=1): ...", "def f(a=2): ..."),
        ("def f(a, b): ...", "def f(b, a): ..."),
        ("def f(a, b): ...", "def f(a, *, b): ..."),
        ("def f(a, *, b=1): ...", "def f(a): ..."),
        ("def f(a, *rest): ...", "def f(a, b=1, *rest): ..."),
        ("def f(a, /): ...", "def f(b, /): ..."),
        ("def f(a) -> int: ...", "def f(a) -> str: ..."),
        ("def f(a: int): ...", "def f(a: str): ..."),
        ("def f(*, a: bool = False): ...", "def f(*, a: bool | Word = True): ..."),
        ("def f(*, a: bool | Word = False): ...", "def f(*, a: bool = False): ..."),
        ("@hookspec\ndef f(*, a: int): ...", "@hookspec\ndef f(*, a: int | str): ..."),
        ("def f(a): ...", "class f: ..."),
        ("@hookspec\ndef f(a): ...", "@hookspec\ndef f(): ..."),
        ("class C:\n    def g(self): ...", "class C: ..."),
        ("class C:\n    def g(self): ...", "class C:\n    def g(self, a=1): ..."),  # a plugin may have its own g
        ("class C: ...", "class C:\n    @abstractmethod\n    def g(self): ..."),
        ("@dataclass\nclass C:\n    a: int", "@dataclass\nclass C:\n    a: int\n    b: int"),
        ("@dataclass\nclass C:\n    a: int\n    b: int", "@dataclass\nclass C:\n    b: int\n    a: int"),
        ("b = 1", "b = 2"),
    ],
)
def test_what_may_break_a_plugin_raises_the_major_number(before: str, after: str) -> None:
    found = changes(before, after)
    assert found.breaking
    assert "to 2.0, or bring back what was there" in str(page.too_low("1.3", "1.2", found))
    assert page.too_low("2.0", "1.2", found) is None


def test_nothing_changed_asks_for_nothing() -> None:
    found = changes("def f(a, b=1): ...", "def f(a, b=1): ...")
    assert str(found) == ""
    assert page.too_low("1.2", "1.2", found) is None
    assert page.too_low("1.1", "1.2", found) is not None  # it never goes back


def test_the_generator_refuses_under_a_version_that_is_too_low(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = tmp_path / "released.txt"
    released.write_text(page.text({**page.surface(), "specrec.gone": "function ()"}, page.interface_version()), "utf-8")
    monkeypatch.setattr(page, "RELEASED", released)
    monkeypatch.setattr(page, "DESCRIPTION", tmp_path / "interface.txt")
    assert "specrec.gone: function ()  (gone)" in str(page.main([]))
    assert not page.DESCRIPTION.exists()


def test_the_description_of_a_release_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released, description = tmp_path / "released.txt", tmp_path / "interface.txt"
    released.write_text("# interface 0.0, as released with specrec 0.0.1, which promised nothing.\n", "utf-8")
    monkeypatch.setattr(page, "RELEASED", released)
    monkeypatch.setattr(page, "DESCRIPTION", description)
    assert page.main([]) is None
    assert page.read(description) == (page.interface_version(), page.surface())
    assert page.main(["--released"]) is None
    assert page.read(released) == (page.interface_version(), page.surface())
    assert "it stays as it is" in str(page.main(["--released"]))
