"""How a file gets into its folder: whole or not at all, never over another's, and with a sentence where it cannot."""

import errno
import os
import sys
from pathlib import Path

import pytest

from specrec.cache import check_room, drop_unfinished, put_in_place, written_together, written_whole
from specrec.errors import SpecrecError, UsageError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_appears_meanwhile_is_not_replaced_unless_asked(
    tmp_path: Path, has_links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_links:

        def refuse(*_paths: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "cube.h5"
    with (
        pytest.raises(UsageError, match=r"cube\.h5 exists by now; choose another name or pass --overwrite"),
        written_whole(target, overwrite=False),
    ):
        target.write_text("theirs")
    assert target.read_text() == "theirs"
    assert names(tmp_path) == ["cube.h5"]
    with written_whole(target) as temporary:
        temporary.write_text("ours")
    assert target.read_text() == "ours"
    with written_whole(tmp_path / "new.h5", overwrite=False) as temporary:
        temporary.write_text("new")
    assert (tmp_path / "new.h5").read_text() == "new"
    assert names(tmp_path) == ["cube.h5", "new.h5"]


def test_of_two_files_none_is_put_in_place_where_one_has_appeared(tmp_path: Path) -> None:
    data, header = tmp_path / "a.img", tmp_path / "a.hdr"
    with pytest.raises(UsageError, match=r"a\.hdr exists by now"), written_together(data, header, overwrite=False):
        header.write_text("theirs")
    assert names(tmp_path) == ["a.hdr"]
    assert header.read_text() == "theirs"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions")
def test_a_file_has_the_permissions_of_any_other_and_the_mask_of_all_threads_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").touch()
    monkeypatch.setattr(os, "umask", None)  # setting it is the only way to read it, and other threads would see it
    with written_whole(tmp_path / "whole") as temporary:
        temporary.write_text("ours")
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("name", ["a" * 250 + ".h5", "é" * 125 + ".h5", "a." + "b" * 250])
def test_a_name_that_is_just_short_enough_can_be_written(tmp_path: Path, name: str) -> None:
    with written_whole(tmp_path / name) as temporary:
        temporary.write_text("ours")
    assert names(tmp_path) == [name]


def test_an_error_about_another_file_is_not_blamed_on_the_one_that_is_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="source"), written_whole(tmp_path / "t.h5"):
        (tmp_path / "source").read_bytes()
    assert names(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG])
def test_a_full_disk_is_one_line_that_names_file_and_folder(tmp_path: Path, code: int) -> None:
    with (
        pytest.raises(SpecrecError, match=r"cannot write .*t\.h5: .*; make room in .*, or choose another") as said,
        written_whole(tmp_path / "t.h5"),
    ):
        raise OSError(code, "Can't write data (time = now\n, errno = 28)")  # in the manner of h5py
    assert os.strerror(code) in str(said.value)
    assert "\n" not in str(said.value)
    assert names(tmp_path) == []


def test_a_temporary_file_that_cannot_be_opened_is_blamed_on_its_target(tmp_path: Path) -> None:
    with (
        pytest.raises(SpecrecError, match=r"cannot write .*t\.h5: No such file"),
        written_whole(tmp_path / "t.h5") as t,
    ):
        t.rename(tmp_path / "gone").with_name(t.name).read_bytes()


@pytest.mark.parametrize(
    ("needed", "free", "words"),
    [
        (8900, 0, "a cube need 8.9 kB and {} has 0 bytes free"),
        (2_500_000, 999, "a cube need 2.5 MB and {} has 999 bytes free"),
        (31_000_000_000, 1_000_000, "a cube need 31.0 GB and {} has 1.0 MB free"),
    ],
)
def test_room_is_told_in_units_that_say_something(
    tmp_path: Path, needed: int, free: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": free})())
    with pytest.raises(SpecrecError) as said:
        check_room(tmp_path, needed, "a cube")
    assert str(said.value).startswith(words.format(tmp_path))


def test_where_there_are_no_links_nothing_is_replaced_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_paths: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", no_links)
    path, made = tmp_path / "a", tmp_path / "made"
    with written_whole(path, overwrite=False) as temporary:
        temporary.write_text("mine")
    with pytest.raises(UsageError, match="a exists by now"), written_whole(path, overwrite=False) as temporary:
        temporary.write_text("another")
    made.write_text("a third")
    with pytest.raises(UsageError, match="a exists by now"):
        put_in_place([made], [path], overwrite=False)
    assert (path.read_text(), made.read_text()) == ("mine", "a third")
    put_in_place([made], [path], overwrite=True)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["a third"]


def test_what_is_being_written_can_be_dropped(tmp_path: Path) -> None:
    def write() -> None:
        with written_whole(tmp_path / "a"):
            assert len(list(tmp_path.iterdir())) == 1
            drop_unfinished()
            assert list(tmp_path.iterdir()) == []

    with pytest.raises(SpecrecError, match="cannot write"):
        write()
    drop_unfinished()
