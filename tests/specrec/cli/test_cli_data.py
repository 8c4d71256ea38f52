import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from specrec.cli.data import command
from specrec.cubes import write_cube
from specrec.errors import DataError, UsageError
from specrec.images import read_image
from specrec.spectra import WAVELENGTHS


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPECREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SPECREC_FOLDER", raising=False)
    return tmp_path


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "cubes"
    mask = np.ones((6, 5), dtype=bool)
    mask[0] = False
    for name, seed in (("leaf", 0), ("sky", 1), ("twin", 1)):
        cube = np.random.default_rng(seed).random((6, 5, 31), dtype=np.float32)
        write_cube(root / f"{name}.h5", cube, WAVELENGTHS, {"quantity": "reflectance"}, mask)
    return root


def run(*arguments):
    return CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)


def run_and_fail(*arguments):
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    return result, result.exception


def test_list_says_what_is_offered_and_what_each_needs():
    output = run("list").stdout
    rows = {line.split()[0]: line for line in output.splitlines() if line}
    assert {"synthetic", "cave", "icvl", "folder"} <= set(rows)
    assert "SPECREC_CAVE" in rows["cave"]
    assert "SPECREC_ICVL" in rows["icvl"]
    assert "(none needed)" in rows["synthetic"]
    assert "specrec 0." in rows["cave"]


def test_verify_lists_every_scene_and_draws_a_contact_sheet(folder, tmp_path):
    result = run("verify", str(folder), "-d", "folder")
    lines = result.stdout.splitlines()
    leaf = next(line for line in lines if line.startswith("leaf"))
    for said in ("6 x 5", "31 bands, 400-700 nm", "reflectance", "25 (83.3%)"):
        assert said in leaf
    assert "the same content: sky, twin" in lines
    assert f"folder in {folder}: 3 of 3 scenes can be used" in lines
    assert "contact sheet: folder-contact-sheet.png" in lines
    sheet = read_image(tmp_path / "folder-contact-sheet.png")
    assert sheet.shape[1] > sheet.shape[0] > 100


def test_verify_names_damage_after_listing_everything(folder, tmp_path):
    (folder / "leaf.h5").write_bytes((folder / "leaf.h5").read_bytes()[:-50])
    (folder / "web.h5").write_text("404")
    result, error = run_and_fail("verify", str(folder), "-d", "folder", "-o", "sheet.png")
    assert isinstance(error, DataError)
    assert error.exit_code == 1
    assert str(error) == "2 of 4 scenes of folder cannot be used: leaf, web"
    assert "sky" in result.stdout
    assert "damaged:" in result.stdout
    assert "leaf.h5: the file is truncated" in result.stdout
    assert "web.h5: this is not an HDF5 file" in result.stdout
    assert (tmp_path / "sheet.png").exists()


def test_verify_reads_again_what_is_cached(folder, tmp_path):
    run("verify", str(folder), "-d", "folder")
    assert len(list((tmp_path / "cache" / "surveys").iterdir())) == 3
    path = folder / "leaf.h5"
    stamp = path.stat()
    content = bytearray(path.read_bytes())
    position = content.find(np.random.default_rng(0).random(31, dtype=np.float32).tobytes())
    content[position : position + 4] = b"\xff\xff\xff\xff"  # a NaN, with size and time as they were
    path.write_bytes(content)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    _, error = run_and_fail("verify", str(folder), "-d", "folder", "--overwrite")
    assert str(error) == "1 of 3 scenes of folder cannot be used: leaf"


def test_verify_without_any_good_scene_draws_nothing(folder, tmp_path):
    for path in folder.iterdir():
        path.write_text("404")
    _, error = run_and_fail("verify", str(folder), "-d", "folder")
    assert "3 of 3 scenes of folder cannot be used" in str(error)
    assert not list(tmp_path.glob("*.png"))


def test_verify_takes_the_folder_from_the_environment(folder, monkeypatch):
    monkeypatch.setenv("SPECREC_FOLDER", str(folder))
    assert "3 of 3 scenes can be used" in run("verify", "-d", "folder").stdout


def test_verify_makes_synthetic_scenes_by_their_options(tmp_path):
    output = run("verify", "-d", "synthetic[scenes=2,size=32]").stdout
    assert "synthetic: 2 of 2 scenes can be used" in output
    assert "32 x 32" in output
    assert (tmp_path / "synthetic-contact-sheet.png").exists()


def test_an_existing_contact_sheet_is_replaced_only_when_asked(folder, tmp_path):
    (tmp_path / "folder-contact-sheet.png").write_text("mine")
    _, error = run_and_fail("verify", str(folder), "-d", "folder")
    assert isinstance(error, UsageError)
    assert "folder-contact-sheet.png exists" in str(error)
    assert (tmp_path / "folder-contact-sheet.png").read_text() == "mine"
    run("verify", str(folder), "-d", "folder", "--overwrite")
    assert (tmp_path / "folder-contact-sheet.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-d", "cavr"], "unknown data set 'cavr'; did you mean 'cave'"),
        (
            ["-d", "folder"],
            "the data set 'folder' is read from a folder; name it (--data FOLDER) or set SPECREC_FOLDER",
        ),
        (
            ["absent", "-d", "folder"],
            "absent does not exist; the data set 'folder' expects cube files (.h5, .hdf5, .mat, .hdr, .nc)",
        ),
        ([".", "-d", "icvl"], "holds no scenes of the data set 'icvl'"),
        ([".", "-d", "cave"], "holds no scenes of the data set 'cave'"),
        ([".", "-d", "cave[size=3]"], "cave has no parameter 'size'"),
        ([".", "-d", "synthetic"], "the data set 'synthetic' makes its scenes"),
        (["-d", "synthetic[scenes"], "cannot read 'synthetic"),
        (["-d", "synthetic", "-o", "sheet.jpg"], "a contact sheet is written as .png"),
    ],
)
def test_a_request_that_cannot_be_meant_is_one_sentence(arguments, sentence):
    _, error = run_and_fail("verify", *arguments)
    assert isinstance(error, UsageError)
    assert sentence in str(error)


def test_clear_removes_what_specrec_made_and_nothing_else(folder, tmp_path):
    run("verify", str(folder), "-d", "folder")
    run("verify", "-d", "synthetic[scenes=1,size=32]")
    cache = tmp_path / "cache"
    (cache / "mine").mkdir()
    (cache / "mine.txt").write_text("mine")
    said = run("clear", "--dry-run").stdout
    assert f"would remove {cache / 'surveys'}: 4 files" in said
    assert f"would remove {cache / 'synthetic'}: " in said
    assert {path.name for path in cache.iterdir()} == {"mine", "mine.txt", "surveys", "synthetic"}
    said = run("clear").stdout
    assert f"removed {cache / 'surveys'}: 4 files" in said
    assert " MB" in said
    assert {path.name for path in cache.iterdir()} == {"mine", "mine.txt"}
    assert run("clear").stdout == f"nothing to clear in {cache}\n"


def test_clear_does_not_follow_links(folder, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "surveys").symlink_to(folder, target_is_directory=True)
    assert "nothing to clear" in run("clear").stdout
    assert len(list(folder.iterdir())) == 3


def test_nothing_but_click_is_imported_for_the_help():
    code = (
        "import sys, specrec.cli.data, specrec.cli.render\n"
        "heavy = {'numpy', 'h5py', 'PIL', 'torch', 'scipy'} & set(sys.modules)\n"
        "sys.exit(f'{heavy} imported' if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
