import numpy as np
import pytest

from specrec.cubes.grids import read_grid
from specrec.errors import UsageError


def read(text, **options):
    return read_grid(text, "--grid", **options).tolist()


def test_a_grid_is_steps_or_numbers_or_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read("400:10:700") == list(range(400, 701, 10))
    assert read("397.5:2.5:405") == [397.5, 400, 402.5, 405]
    assert read("400:0.1:700")[-1] == pytest.approx(700)
    assert read("550:10:550") == [550]
    assert read("450, 457.5,466") == [450, 457.5, 466]
    assert read("450") == [450]
    (tmp_path / "bands.txt").write_text("\ufeff# of the sensor\n453.3, 457.6 # blue\n\n462.1;468\t470\n")
    assert read("bands.txt") == [453.3, 457.6, 462.1, 468, 470]
    (tmp_path / "400:10:420").write_text("500 510")
    assert read("400:10:420") == [500, 510]


def test_a_list_may_be_in_another_order_where_that_is_allowed():
    assert read("700,600", increasing=False) == [700, 600]
    with pytest.raises(UsageError, match="--grid 700,600: wavelengths must increase"):
        read("700,600")
    with pytest.raises(UsageError, match="must increase"):
        read("700,700", increasing=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("400:10", "wavelengths are START:STEP:STOP, numbers in nm with commas, or a text file"),
        ("absent.txt", "absent.txt: wavelengths are START:STEP:STOP"),
        ("", "wavelengths are"),
        ("a:b:c", "wavelengths are"),
        ("400:-10:300", "needs a positive step"),
        ("700:10:400", "needs a positive step"),
        ("400:0:700", "needs a positive step"),
        ("400:7:700", "7 nm do not lead from 400 to 700 nm"),
        ("400:0.00001:700", "do not lead from 400 to 700"),
        ("400:1e-300:700", "do not lead"),
        ("nan,500", "finite numbers"),
        ("400:10:inf", "finite numbers"),
        ("0.4,0.5,0.6", "0.4 to 0.6 are no wavelengths in nm, which lie in 100-30000"),
        ("1:1:31", "1 to 31 are no wavelengths in nm"),
    ],
)
def test_what_is_no_grid_is_a_usage_error(text, words):
    with pytest.raises(UsageError, match=words) as error:
        read(text)
    assert "--grid" in str(error.value)


def test_a_file_that_is_no_list_is_named(tmp_path):
    (tmp_path / "cube.img").write_bytes(np.arange(3000, dtype=np.float32).tobytes())
    with pytest.raises(UsageError, match=r"cube\.img: wavelengths are"):
        read(str(tmp_path / "cube.img"))
    (tmp_path / "long.txt").write_bytes(b"500 " * (1 << 19))
    with pytest.raises(UsageError, match=r"long\.txt: this is no list of wavelengths, it has 2097152 bytes"):
        read(str(tmp_path / "long.txt"))
