from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specrec.bench.folds import from_lists, limited, seeded
from specrec.errors import SpecrecError, UsageError

NAMES = [f"scene{index}" for index in range(9)]


@given(st.integers(2, 4), st.integers(8, 40), st.integers(0, 1000))
def test_a_split_is_disjoint_complete_and_does_not_depend_on_the_order(folds: int, count: int, seed: int) -> None:
    names = [f"s{index}" for index in range(count)]
    split = seeded(names, folds, 0, seed)
    tested = [name for fold in split.folds for name in fold.test]
    assert len(tested) == len(set(tested)) == count // folds * folds
    assert sorted([*tested, *split.unused]) == sorted(names)
    for fold in split.folds:
        assert sorted(fold.test + fold.train) == split.used
        assert not set(fold.test) & set(fold.train)
    assert seeded(names[::-1], folds, 0, seed) == split


def test_an_odd_number_leaves_one_out_and_names_it() -> None:
    split = seeded(NAMES, 2, 0, 0)
    assert [len(fold.test) for fold in split.folds] == [4, 4]
    assert len(split.unused) == 1


def test_the_seed_decides() -> None:
    assert seeded(NAMES, 2, 0, 0) != seeded(NAMES, 2, 0, 1)


def test_too_few_scenes_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="9 scenes are too few for 2 folds of 20"):
        seeded(NAMES, 2, 20, 0)


def test_a_limit_keeps_the_first_of_each_fold_and_trains_on_those_of_the_others() -> None:
    full, small = seeded(NAMES, 2, 0, 3), limited(seeded(NAMES, 2, 0, 3), 2)
    for before, after in zip(full.folds, small.folds, strict=True):
        assert after.test == before.test[:2]
    assert small.folds[0].train == small.folds[1].test
    assert len(small.unused) == 5


def test_damaged_scenes_leave_the_others_where_they_were() -> None:
    split = seeded(NAMES, 2, 0, 3)
    gone = split.folds[0].test[1]
    after = split.without([gone])
    assert after.folds[0].test == tuple(name for name in split.folds[0].test if name != gone)
    assert after.folds[1].test == split.folds[1].test
    assert gone in after.unused
    with pytest.raises(UsageError, match="no scenes to test"):
        split.without(split.folds[0].test)


def write_lists(folder: Path, lists: dict[str, list[str]]) -> None:
    for name, lines in lists.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")


def test_published_lists_are_matched_without_case_and_suffix(tmp_path: Path) -> None:
    write_lists(
        tmp_path,
        {
            "test0": ["BGU_0403-1419-1.mat", "b.mat"],
            "train0": ["c.mat"],
            "test1": ["C.mat"],
            "train1": ["bgu_0403-1419-1.mat", "B.mat"],
        },
    )
    split = from_lists(tmp_path, ["bgu_0403-1419-1", "B", "c", "extra"])
    assert split.folds[0].test == ("bgu_0403-1419-1", "B")
    assert split.folds[1].test == ("c",)
    assert split.unused == ("extra",)


def test_a_listed_scene_that_is_missing_is_named(tmp_path: Path) -> None:
    write_lists(tmp_path, {"test0": ["a.mat"], "train0": ["gone.mat"]})
    with pytest.raises(UsageError, match=r"train0.csv names 1 scenes that are not there, first 'gone.mat'"):
        from_lists(tmp_path, ["a", "b"])


def test_a_scene_listed_twice_is_refused_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    (tmp_path / "train0.csv").write_text("b.mat\n")
    (tmp_path / "test0.csv").write_bytes(b"\xef\xbb\xbfa.mat\n")
    assert from_lists(tmp_path, ["a", "b"]).folds[0].test == ("a",)
    (tmp_path / "test0.csv").write_text("a.mat\nA.mat\n")
    with pytest.raises(UsageError, match="names 'a' twice"):
        from_lists(tmp_path, ["a", "b"])


def test_a_scene_on_both_sides_is_refused(tmp_path: Path) -> None:
    write_lists(tmp_path, {"test0": ["a.mat"], "train0": ["b.mat", "A.mat"]})
    with pytest.raises(UsageError, match="fold 0 trains on and tests 'a'"):
        from_lists(tmp_path, ["a", "b"])


@given(st.binary(max_size=60))
def test_any_bytes_as_a_list_give_a_clear_error_or_a_split(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    folder = tmp_path_factory.mktemp("lists")
    (folder / "test0.csv").write_bytes(raw)
    (folder / "train0.csv").write_text("b\n")
    try:
        from_lists(folder, ["a", "b"])
    except SpecrecError as error:
        assert "\n" not in str(error)


def test_a_list_that_repeats_a_name_or_never_ends_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "train0.csv").write_text("b")
    for content, words in (
        ("a\n" * 1_000_000, "names 'a' twice"),
        ("x" * 1_000_000, "first 'x{79}…'$"),
        ("a\n" * 9_000_000, "too long for a list of scenes"),
    ):
        (tmp_path / "test0.csv").write_text(content)
        with pytest.raises(UsageError, match=words):
            from_lists(tmp_path, ["a", "b"])
