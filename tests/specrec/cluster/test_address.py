"""What names a Dask cluster."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.cluster.address import MOST_WORKERS, Address, parse_address
from specrec.errors import UsageError


@pytest.mark.parametrize(
    ("text", "own", "scheduler"),
    [
        ("local:1", 1, ""),
        ("local:1024", 1024, ""),
        ("node1:8786", 0, "tcp://node1:8786"),
        ("tcp://10.0.0.1:8786", 0, "tcp://10.0.0.1:8786"),
        ("tls://a-b.c_d:1/", 0, "tls://a-b.c_d:1"),
        ("[fe80::1]:65535", 0, "tcp://[fe80::1]:65535"),
    ],
)
def test_an_address_is_read(text: str, own: int, scheduler: str) -> None:
    assert parse_address(text) == Address(text, own, scheduler)


@pytest.mark.parametrize(
    "text",
    ["", "local", "local:", "local:0", "local:1025", "local:-1", "local:two", "local:99999999999", "node1", "node1:0",
     "node1:65536", "http://node1:80", "tcp://:80", "tcp://node1", "node 1:80", "node1:80\n", ":8786", "-a:80"],
)  # fmt: skip
def test_anything_else_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="--dask") as caught:
        parse_address(text)
    assert "\n" not in str(caught.value)


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_any_text_is_an_address_or_a_mistake_of_the_user(text: str) -> None:
    try:
        found = parse_address(text)
    except UsageError:
        return
    assert (1 <= found.own <= MOST_WORKERS) != bool(found.scheduler)


def test_a_scheduler_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.json"
    path.write_text(json.dumps({"address": "tcp://10.0.0.1:8786", "workers": {}}))
    assert parse_address(str(path)).scheduler == "tcp://10.0.0.1:8786"


@settings(max_examples=50)
@given(st.one_of(st.binary(max_size=60), st.recursive(
    st.one_of(st.none(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.sampled_from(["address", "x"]), inner)),
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_any_other_file_is_a_mistake_that_names_it(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"any\.json"):
        parse_address(str(path))


def test_a_file_that_is_not_there_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.json: there is no such file"):
        parse_address(str(tmp_path / "none.json"))
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(UsageError, match=r"folder\.json: cannot read it"):
        parse_address(str(tmp_path / "folder.json"))
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(UsageError, match=r"deep\.json"):
        parse_address(str(tmp_path / "deep.json"))
