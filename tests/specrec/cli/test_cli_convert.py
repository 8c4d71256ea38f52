"""`specrec convert` as a user meets it: options, sentences, exit codes, and pictures of every kind of cube."""

import sys

import numpy as np
import pytest
import scipy.io
from click.testing import CliRunner

from specrec.cli import COMMANDS, main
from specrec.cli.render import command as render_command
from specrec.cubes import read_cube, write_cube
from specrec.images import read_image
from specrec.rendering import render
from specrec.resampling import resampling
from specrec.spectra import WAVELENGTHS

HARVARD = np.arange(420.0, 721, 10)


@pytest.fixture
def specrec(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*words, code=0):
        monkeypatch.setattr(sys, "argv", ["specrec", *map(str, words)])
        with pytest.raises(SystemExit) as leaving:
            main()
        said = capsys.readouterr()
        assert (leaving.value.code or 0) == code, said.err
        assert "Traceback" not in said.err
        assert said.out == ""
        return said.err.strip()

    return run


def some(bands=31):
    return np.random.default_rng(0).random((6, 5, bands), dtype=np.float32) * np.float32(0.6)


@pytest.fixture
def harvard(tmp_path):
    scipy.io.savemat(tmp_path / "imgd3.mat", {"ref": some().astype(float), "lbl": np.ones((6, 5))})


def test_convert_stands_beside_render():
    assert COMMANDS[COMMANDS.index("render") + 1] == "convert"


def test_a_foreign_cube_becomes_ours_on_another_grid(specrec, harvard):
    said = specrec("convert", "imgd3.mat", "a.h5", "--grid", "400:10:700", "--extrapolate", "nearest")
    assert said.splitlines() == [
        "a.h5: 6 x 5 pixels, 31 bands, 400-700 nm (from 31 bands, 420-720 nm, linear)",
        "a.h5: 400, 410 nm repeat the nearest band of imgd3.mat",
    ]
    expected = resampling(HARVARD, WAVELENGTHS, extrapolate="nearest").apply(some())
    np.testing.assert_array_equal(read_cube("a.h5").cube, expected)


def test_every_option_reaches_the_conversion(specrec, tmp_path):
    cube = np.random.default_rng(0).integers(0, 4096, (6, 5, 28)).astype(np.uint16)
    scipy.io.savemat(tmp_path / "scene.mat", {"S": cube})
    grid = np.linspace(450, 720, 28)
    (tmp_path / "bands.txt").write_text("\n".join(map(str, grid)))
    (tmp_path / "b.nc").write_text("mine")
    said = specrec(
        "convert", "scene.mat", "b.nc", "--format", "netcdf", "--dtype", "uint16", "--grid", "common", "--resampling",
        "mean", "--wavelengths", "bands.txt", "--key", "S", "--quantity", "radiance", "--scale", "1/4095",
        "--overwrite", "-q",
    )  # fmt: skip
    assert said == ""
    back = read_cube("b.nc")
    way = resampling(grid, np.arange(450.0, 701, 10), "mean")
    np.testing.assert_allclose(back.cube, way.apply(cube / 4095), atol=2e-5)
    np.testing.assert_array_equal(back.wavelengths, way.target)
    assert back.attributes["quantity"] == "radiance"


def test_a_layout_is_named_where_keys_do_not_tell(specrec, tmp_path):
    scipy.io.savemat(tmp_path / "scene.mat", {"rad": some().astype(float) * 4095})
    assert "add --layout ntire2018 (it is) or --layout icvl" in specrec("convert", "scene.mat", "a.h5", code=1)
    specrec("convert", "scene.mat", "a.h5", "--layout", "ntire2018")
    np.testing.assert_allclose(read_cube("a.h5").cube, some(), rtol=1e-6)


def test_remarks_are_said_even_when_quiet(specrec, tmp_path):
    scipy.io.savemat(tmp_path / "scene.mat", {"img": some(3), "lambda": [600, 500, 550]})
    said = specrec("convert", "scene.mat", "a.h5", "--quantity", "radiance", "-q")
    assert said == "scene.mat: its bands are not in the order of their wavelengths and were sorted"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["imgd3.mat", "imgd3.mat"], 2, "imgd3.mat would be converted onto itself; name another file to write"),
        (["absent.h5", "a.h5"], 2, "there is no cube file absent.h5"),
        (["imgd3.mat", "a.png"], 2, "a.png has the suffix '.png'"),
        (["imgd3.mat", "there.h5"], 2, "there.h5 exists"),
        (["imgd3.mat", "a.npy"], 2, "add --grid 400:10:700 or write .h5"),
        (["imgd3.mat", "a.mat", "--dtype", "uint16"], 2, "a.mat cannot be uint16"),
        (["imgd3.mat", "a.h5", "--dtype", "int8"], 2, "not as 'int8'"),
        (["imgd3.mat", "a.h5", "--format", "fits"], 2, "not as 'fits'"),
        (["imgd3.mat", "a.h5", "--grid", "400:10:700"], 2, "take a smaller grid (--grid 420:10:700 or common), or"),
        (["imgd3.mat", "a.h5", "--grid", "700:10:400"], 2, "--grid 700:10:400: START:STEP:STOP needs"),
        (["imgd3.mat", "a.h5", "--grid", "absent.txt"], 2, "--grid absent.txt: wavelengths are START:STEP:STOP"),
        (["imgd3.mat", "a.h5", "--wavelengths", "500,400"], 2, "--wavelengths 500,400: wavelengths must increase"),
        (["imgd3.mat", "a.h5", "--key", "cube"], 2, "no array 'cube'; it holds lbl (6 x 5), ref (6 x 5 x 31)"),
        (["imgd3.mat", "a.h5", "--layout", "cave"], 2, "there is no layout 'cave'; there are harvard, foster"),
        (["imgd3.mat", "a.h5", "--scale", "0"], 2, "--scale is a positive factor such as 0.5 or 1/4095, not '0'"),
        (["imgd3.mat", "a.h5", "--scale", "1/0"], 2, "not '1/0'"),
        (["imgd3.mat", "a.h5", "--scale", "bright"], 2, "not 'bright'"),
        (["bare.npy", "a.h5"], 2, "bare.npy does not say whether its values are radiance or refl"),
        (["photo.hdr", "a.h5"], 1, "photo.hdr"),
    ],
)  # fmt: skip
def test_each_mistake_is_one_sentence_and_writes_nothing(specrec, harvard, tmp_path, words, code, sentence):
    np.save(tmp_path / "bare.npy", some())
    (tmp_path / "there.h5").write_text("mine")
    (tmp_path / "photo.hdr").write_text("#?RADIANCE")
    before = sorted(tmp_path.iterdir())
    said = specrec("convert", *words, code=code)
    assert said.startswith("specrec: error: ")
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "there.h5").read_text() == "mine"


def test_a_cube_on_another_grid_is_rendered_after_a_conversion_which_is_named(specrec, harvard):
    said = specrec("render", "imgd3.mat", code=1)
    assert said.endswith("convert it (specrec convert imgd3.mat NEW.h5 --grid 400:10:700)")


@pytest.mark.parametrize(
    "name", ["a.h5", "a.mat", "a.hdr", "a.img", "a.tif", "a.nc", "a.npy", "arad.mat", "foster.mat"]
)
def test_a_cube_of_every_format_is_rendered(specrec, tmp_path, name):
    if name == "arad.mat":
        scipy.io.savemat(tmp_path / name, {"cube": some(), "bands": WAVELENGTHS})
    elif name == "foster.mat":
        scipy.io.savemat(tmp_path / "scene.mat", {"reflectances": np.dstack([some(), some(2)])})
        specrec("convert", "scene.mat", "foster.mat", "--grid", "400:10:700")
    else:
        write_cube(tmp_path / name, some(), WAVELENGTHS, {"quantity": "radiance"})
    expected = render(some()).astype(int)
    result = CliRunner().invoke(render_command, [name, "-o", "out.png"], catch_exceptions=False, standalone_mode=False)
    assert "6 x 5 pixels" in result.output
    assert abs(np.rint(read_image(tmp_path / "out.png") * 255) - expected).max() <= 1
