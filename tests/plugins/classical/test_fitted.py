import numpy as np
import pytest

from specrec_classical.fitted import checked

SHAPES = {"centres": ("n", 3), "weights": ("n", "bands")}


def test_a_word_stands_for_one_size_wherever_it_stands():
    arrays = {"centres": np.zeros((4, 3)), "weights": np.zeros((4, 31))}
    assert checked(arrays, SHAPES)["weights"].shape == (4, 31)
    with pytest.raises(ValueError, match=r"weights must be finite and of shape \(4, "):
        checked({**arrays, "weights": np.zeros((5, 31))}, SHAPES)


def test_other_arrays_than_wanted_are_named():
    with pytest.raises(ValueError, match="wanted are the arrays centres, weights, these are centres"):
        checked({"centres": np.zeros((4, 3))}, SHAPES)


def test_a_state_with_nan_is_refused():
    with pytest.raises(ValueError, match="finite"):
        checked({"centres": np.full((1, 3), np.nan)}, {"centres": ("n", 3)})
