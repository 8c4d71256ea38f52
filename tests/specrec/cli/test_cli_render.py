import numpy as np
import pytest
from click.testing import CliRunner

from specrec.cli.render import command
from specrec.cubes import write_cube
from specrec.errors import DataError, UsageError
from specrec.images import read_image
from specrec.rendering import render
from specrec.spectra import WAVELENGTHS


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def some_cube(seed=0):
    return np.random.default_rng(seed).random((6, 5, 31), dtype=np.float32) * np.float32(0.7) + np.float32(0.1)


def run(*arguments):
    result = CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    return result.output


def pixels(path):
    return np.rint(read_image(path) * 255).astype(np.uint8)


@pytest.mark.parametrize("suffix", [".h5", ".mat", ".npy"])
@pytest.mark.parametrize(("text", "scale"), [(None, "none"), ("none", "none"), ("minmax", "minmax"), ("0.5", 0.5)])
def test_a_cube_is_rendered_as_the_library_does(tmp_path, suffix, text, scale):
    write_cube(tmp_path / f"cube{suffix}", some_cube(), WAVELENGTHS, {"quantity": "radiance"})
    output = run(f"cube{suffix}", "-o", "out.png", *(["--scale", text] if text else []))
    expected = render(some_cube(), WAVELENGTHS, scale=scale).astype(int)
    assert abs(pixels(tmp_path / "out.png") - expected).max() <= (1 if suffix == ".mat" else 0)
    assert "out.png: 6 x 5 pixels" in output


def test_the_picture_is_named_for_the_cube(tmp_path):
    write_cube(tmp_path / "in" / "leaf.h5", some_cube(), WAVELENGTHS, {"quantity": "radiance"})
    run("in/leaf.h5")
    assert (tmp_path / "leaf.rendered.png").exists()


def test_invalid_pixels_are_black_and_do_not_count_for_the_scale(tmp_path):
    cube, mask = some_cube(), np.ones((6, 5), dtype=bool)
    cube[0], mask[0] = 50.0, False
    write_cube(tmp_path / "cube.h5", cube, WAVELENGTHS, {"quantity": "radiance"}, mask)
    run("cube.h5", "-o", "minmax.png", "--scale", "minmax")
    run("cube.h5", "-o", "none.png")
    expected = render(some_cube()[1:], scale="minmax").astype(int)
    assert not np.array_equal(expected, render(cube[1:]).astype(int))
    assert not pixels(tmp_path / "minmax.png")[0].any()
    assert not pixels(tmp_path / "none.png")[0].any()
    low, high = cube[1:].min(), cube[1:].max()
    exact = render((cube[1:].astype(float) - low) / (float(high) - low))
    np.testing.assert_array_equal(pixels(tmp_path / "minmax.png")[1:], exact)
    np.testing.assert_array_equal(pixels(tmp_path / "none.png")[1:], render(cube[1:]))


def test_an_existing_picture_is_replaced_only_when_asked(tmp_path):
    write_cube(tmp_path / "cube.h5", some_cube(), WAVELENGTHS, {"quantity": "radiance"})
    (tmp_path / "out.png").write_text("mine")
    with pytest.raises(UsageError, match=r"out\.png exists"):
        run("cube.h5", "-o", "out.png")
    assert (tmp_path / "out.png").read_text() == "mine"
    run("cube.h5", "-o", "out.png", "--overwrite")
    assert pixels(tmp_path / "out.png").shape == (6, 5, 3)


@pytest.mark.parametrize("scale", ["bright", "0", "-1", "nan", "inf", ""])
def test_a_scale_that_is_none_is_a_usage_error(tmp_path, scale):
    write_cube(tmp_path / "cube.h5", some_cube(), WAVELENGTHS, {"quantity": "radiance"})
    with pytest.raises(UsageError, match="--scale is none, minmax or a positive factor"):
        run("cube.h5", "--scale", scale)


def test_suffixes_and_files_that_cannot_be_are_usage_errors(tmp_path):
    write_cube(tmp_path / "cube.h5", some_cube(), WAVELENGTHS, {"quantity": "radiance"})
    with pytest.raises(UsageError, match=r"out\.jpg has the suffix '\.jpg'"):
        run("cube.h5", "-o", "out.jpg")
    with pytest.raises(UsageError, match="there is no cube file absent"):
        run("absent.h5")
    (tmp_path / "cube.pt").write_bytes(b"weights")
    with pytest.raises(DataError, match=r"cube\.pt is no cube file that specrec knows"):
        run("cube.pt")
    (tmp_path / "cube.pt").unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["cube.h5"]


def test_a_cube_that_cannot_be_rendered_is_named(tmp_path):
    write_cube(tmp_path / "narrow.h5", some_cube()[..., :3], [400, 410, 420], {"quantity": "radiance"})
    with pytest.raises(DataError, match=r"narrow\.h5: rendering needs the 31 bands"):
        run("narrow.h5")
    mask = np.zeros((6, 5), dtype=bool)
    for name, values in (("flat.h5", np.ones((6, 5, 31))), ("dark.h5", some_cube())):
        write_cube(tmp_path / name, values, WAVELENGTHS, {"quantity": "radiance"}, mask if name == "dark.h5" else None)
        with pytest.raises(DataError, match=rf"{name}: .*constant"):
            run(name, "--scale", "minmax")
    assert not list(tmp_path.glob("*.png"))
