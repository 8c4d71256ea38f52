"""What is taken for a command, and what is not."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_shell import SITE
from shown_commands import ROOT, is_whole, shown_in

PAGE = """# A page

    specrec methods gan    # a remark
    not a command

Then `pip install .` and `specrec data
list`; `specrec convert` is a name, `specrec run METHOD` a form, `rmse` neither.

- in a list

  ```sh
  $ specrec bench \\\\
  >   --methods linear
  what it prints
  $ cd there && pytest
  ```

`thing.py`:

```python
import specrec
```

```python
print("pip install it")
```

```toml
specrec = "1"
```

```
python other.py "a # b"
Usage: specrec bench
```
""".replace("\\\\", "\\")


def test_commands_code_and_files_are_found_in_their_order() -> None:
    assert [(shown.line, shown.kind, shown.text, shown.name) for shown in shown_in(PAGE, "page.md")] == [
        (3, "block", "specrec methods gan", ""),
        (6, "inline", "pip install .", ""),
        (6, "inline", "specrec data list", ""),
        (12, "block", "specrec bench --methods linear", ""),
        (15, "block", "cd there && pytest", ""),
        (21, "file", "import specrec\n", "thing.py"),
        (25, "python", 'print("pip install it")\n', ""),
        (33, "block", 'python other.py "a # b"', ""),
    ]


def test_a_block_marked_as_shell_holds_nothing_but_commands() -> None:
    found = [shown.text for shown in shown_in("```sh\n# a remark\nspecrek doctor\n\n```\n", "page.md")]
    assert found == ["specrek doctor"]


def test_a_snippet_is_the_file_that_it_puts_in() -> None:
    (found,) = shown_in('`a.py`:\n\n```python\n--8<-- "specrec/__main__.py"\n```\n', "page.md")
    assert found.text == (ROOT / "specrec" / "__main__.py").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("specrec doctor", True),
        ("specrec view truth.h5 gan.h5", True),
        ("specrec bench --methods linear --stale", True),  # for the test of the commands to tell
        ("specrec nothing", True),
        ("specrec view", False),
        ("specrec plugin new", False),
        ("specrec run --threads", False),
        ("specrec bench", False),
        ("pip install", False),
        ("specrec view CUBE...", False),
        ("specrec data list | verify", False),
        ("specrec bench -o <folder>", False),
        ("specrec view 'a", False),
        ("python", False),
    ],
)
def test_a_name_or_a_form_of_a_command_is_none(text: str, whole: bool) -> None:
    assert is_whole(text) == whole


@given(st.lists(st.text(st.characters(exclude_characters="`~\r", exclude_categories=("Cs", "Cc", "Zl", "Zp")))))
def test_a_fenced_command_is_found_whatever_stands_around_it(lines: list[str]) -> None:
    text = "\n".join([*lines, "", "```", "specrec doctor", "```", *lines])
    found = [shown for shown in shown_in(text, "page.md") if shown.text == "specrec doctor" and shown.kind == "block"]
    assert len(lines) + 3 in [shown.line for shown in found]


@given(st.text(st.sampled_from("`~ \n$a\"'#\\|&>-") | st.characters(exclude_categories=("Cs",))))
def test_any_page_can_be_read(text: str) -> None:
    list(shown_in(text, "page.md"))


def test_the_small_world_is_smaller(tmp_path: Path) -> None:
    code = SITE.format(folder=str(Path(__file__).parent)) + (
        "import sys\n"
        "from specrec.bench.plan import make_plan\n"
        "from specrec.registry import registry\n"
        "plan = make_plan('gan,pixel')\n"
        "steps = [method.settings['steps'] for _, method in plan.methods.values()]\n"
        "source = registry().scene_source('synthetic')()\n"
        "sys.stdout.write(repr((steps, plan.split.folds[0].test, source.settings['size'], len(source.names()))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    steps, test, size, count = eval(done.stdout)
    assert steps == [4, 10]
    assert len(test) == 2
    assert (size, count) == (64, 40)
