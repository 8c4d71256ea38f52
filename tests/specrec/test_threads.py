import os
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from specrec.threads import available_cores, each, library_threads


def threads_of_libraries():
    return [library["num_threads"] for library in threadpool_info()]


def test_there_is_at_least_one_core():
    assert 1 <= available_cores() <= os.cpu_count()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_everything_is_done_once(count):
    done = []
    each(done.append, range(100), count)
    assert sorted(done) == list(range(100))


def test_one_thread_is_this_one_and_several_are_others():
    where = set()
    each(lambda _: where.add(threading.get_ident()), range(5), 1)
    assert where == {threading.get_ident()}
    where.clear()
    barrier = threading.Barrier(2)
    each(lambda _: (barrier.wait(10), where.add(threading.get_ident())), range(2), 2)
    assert len(where - {threading.get_ident()}) == 2


@pytest.mark.parametrize("count", [1, 3])
def test_an_error_comes_out_and_what_waits_is_not_begun(count):
    begun = []

    def task(item):
        begun.append(item)
        raise MemoryError(str(item))

    with pytest.raises(MemoryError, match="0"):
        each(task, range(1000), count)
    assert len(begun) <= 2 * count  # those that were under way when the first had failed


def test_libraries_take_the_number_of_threads_and_give_it_back(monkeypatch):
    torch = pytest.importorskip("torch")
    np.ones((2, 2)) @ np.ones((2, 2))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "7")
    before, torch_before = threadpool_info(), torch.get_num_threads()
    with library_threads(1):
        assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
        assert {library["num_threads"] for library in threadpool_info()} == {1}
        assert torch.get_num_threads() == 1
        found = set()
        each(lambda _: found.update({torch.get_num_threads(), *threads_of_libraries()}), range(4), 2)
        assert found == {1}
    assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["MKL_NUM_THREADS"] == "7"
    assert torch.get_num_threads() == torch_before
    assert threadpool_info() == before


def test_two_that_overlap_leave_nothing_behind_and_the_inner_one_gives_back_to_the_outer(monkeypatch):
    torch = pytest.importorskip("torch")
    np.ones((2, 2)) @ np.ones((2, 2))
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    before, torch_before = threadpool_info(), torch.get_num_threads()
    first, second = library_threads(1), library_threads(1)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)  # not the one that came last
    assert torch.get_num_threads() == 1
    assert {library["num_threads"] for library in threadpool_info()} == {1}
    second.__exit__(None, None, None)
    assert torch.get_num_threads() == torch_before
    assert threadpool_info() == before
    assert "OPENBLAS_NUM_THREADS" not in os.environ
    with library_threads(2):
        with library_threads(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        assert os.environ["OMP_NUM_THREADS"] == "2"
    assert torch.get_num_threads() == torch_before
