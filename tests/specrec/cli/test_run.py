"""`specrec run` as a user with a folder of photos meets it: exit codes, a line per photo, nothing lost or replaced."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from specrec.cli import main
from specrec.cubes import open_cube
from specrec.interfaces import FitContext
from specrec.reconstruction.training_colours import colours_of
from specrec.registry import registry
from specrec.scenes import TrainingScene
from specrec.weights import make_card, save


class Outcome(NamedTuple):
    code: int
    lines: list[str]


Run = Callable[..., Outcome]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    training_scenes: list[TrainingScene],
) -> Run:  # fmt: skip
    """Run `specrec run linear WORDS` in a folder with three photos, small weights and a file that is no photo."""
    monkeypatch.chdir(tmp_path)
    method = registry().build("linear").fit(training_scenes, FitContext())
    colours = {"training_colours": colours_of(training_scenes).to_card()}
    monkeypatch.setenv("SPECREC_WEIGHTS", "weights")
    for path, more in ((Path("weights/linear.safetensors"), colours), (Path("old.safetensors"), {})):
        path.parent.mkdir(exist_ok=True)
        save(method, path, make_card(method, wavelengths=range(400, 701, 10), scenes=["s"], seed=0, **more))
    Path("photos").mkdir()
    rgb = training_scenes[0].rgb()
    for index in range(3):
        pixels = np.rint(255 * rgb[: 10 + index, :12]).astype(np.uint8)
        Image.fromarray(pixels).save(f"photos/p{index}.png")
    Path("bad.png").write_bytes(b"")

    def go(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["specrec", "run", "linear", *map(str, words)])
        capsys.readouterr()  # what the making of weights has said, where this test is the first
        with pytest.raises(SystemExit) as leaving:
            main()
        said = capsys.readouterr()
        assert said.out == ""
        assert "Traceback" not in said.err
        return Outcome(int(leaving.value.code or 0), said.err.splitlines())

    return go


def cubes(folder: str = ".") -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir() if path.suffix in (".h5", ".hdr", ".tif", ".npy"))


def test_a_folder_of_photos_becomes_cubes_with_a_line_each(run: Run) -> None:
    outcome = run("photos")
    assert outcome.code == 0
    assert cubes() == ["p0.h5", "p1.h5", "p2.h5"]
    assert len(outcome.lines) == 3
    assert any(
        line.startswith("p2.h5: 12 x 12 pixels, 31 bands, 400-700 nm; rendered back it differs from the photo by ")
        for line in outcome.lines
    )


def test_files_folders_and_globs_go_to_a_folder_in_a_form_and_a_type(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ones = lambda _self, rgb: np.ones((*rgb.shape[:2], 31), np.float32)  # noqa: E731
    monkeypatch.setattr(registry().reconstructor("linear"), "reconstruct", ones)
    Image.new("RGB", (12, 11)).save("photos/p1.png")
    outcome = run("photos/p0.png", "photos/p[12].png", "photos", "-o", "out", "--format", "tiff", "--dtype", "float16")
    assert outcome.code == 0
    assert cubes("out") == ["p0.tif", "p1.tif", "p2.tif"]
    with open_cube("out/p1.tif") as stored:
        assert (stored.form, stored.shape) == ("tiff", (11, 12, 31))
        # black against (255, 249, 244), as which a cube of ones is rendered, by colour-science 0.4
        assert stored.attributes["rerendering_ciede2000_mean"] == pytest.approx(98.391, abs=0.005)
        assert Path("out/p1.tif").stat().st_size < 11 * 12 * 31 * 4


def test_one_bad_photo_leaves_with_3_and_is_named(run: Run) -> None:
    outcome = run("photos", "bad.png", "absent.jpg", "-j", 2)
    assert outcome.code == 3
    assert cubes() == ["p0.h5", "p1.h5", "p2.h5"]
    assert len([line for line in outcome.lines if line.startswith("failed: bad.png")]) == 1
    assert "failed: there is no image absent.jpg" in outcome.lines
    assert outcome.lines[-1] == "specrec: error: 2 of 5 photos failed: bad.png, absent.jpg"
    quiet = run("photos", "bad.png", "-q", "--overwrite").lines
    assert [line for line in quiet if "rendered back it differs" not in line] == [
        next(line for line in outcome.lines if "bad.png" in line), "specrec: error: 1 of 4 photos failed: bad.png",
    ]  # fmt: skip


def test_where_all_fail_it_leaves_with_1(run: Run) -> None:
    outcome = run("bad.png", "absent.png")
    assert (outcome.code, outcome.lines[-1]) == (
        1, "specrec: error: no cube was made: all 2 photos failed, see above",
    )  # fmt: skip
    outcome = run("bad.png")
    assert (outcome.code, len(outcome.lines)) == (1, 1)


def test_what_exists_is_kept_and_told_skipped_or_replaced(run: Run) -> None:
    Path("p1.h5").write_text("mine")
    outcome = run("photos")
    assert outcome.code == 3
    assert "p1.h5 exists; kept, and photos/p1.png left out" in outcome.lines
    assert "1 of 3 photos left out because its output exists" in outcome.lines[-1]
    assert Path("p1.h5").read_text() == "mine"
    Path("p2.h5").unlink()
    outcome = run("photos", "--skip-existing")
    assert (outcome.code, outcome.lines[-1]) == (0, "2 of 3 photos left out: their cubes exist")
    assert cubes() == ["p0.h5", "p1.h5", "p2.h5"]
    assert run("photos", "--overwrite").code == 0
    assert Path("p1.h5").stat().st_size > 1000
    assert run("photos/p1.png", "--skip-existing").code == 0
    outcome = run("photos/p1.png")
    assert (outcome.code, outcome.lines) == (
        2, ["specrec: error: p1.h5 exists; choose another name or pass --overwrite"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing*.png",), "no file matches nothing*.png"),
        (("weights",), "there are no images in the folder weights"),
        (("photos", "-o", "out.h5"), "out.h5 is one file and the cubes of several photos need a folder"),
        (("photos", "--format", "hd5"), "unknown format 'hd5'; did you mean 'hdf5'?"),
        (("photos", "--dtype", "float64"), "float64"),
        (("photos", "--format", "npy", "--dtype", "uint16"), "uint16"),
        (("photos", "--tiles", "0"), "tiles are auto"),
        (("photos", "--weights", "absent.safetensors"), "no weights file absent.safetensors"),
        (("photos", "--overwrite", "--skip-existing"), "--overwrite and --skip-existing contradict each other"),
    ],
)
def test_what_cannot_be_meant_leaves_with_2_before_any_work(run: Run, words: tuple[str, ...], said: str) -> None:
    outcome = run(*words)
    assert outcome.code == 2
    assert len(outcome.lines) == 1
    assert said in outcome.lines[0]
    assert cubes() == []
    assert not Path("out").exists()


def test_photos_of_one_stem_get_cubes_of_their_own_and_of_one_name_are_refused(run: Run) -> None:
    Image.open("photos/p0.png").save("p0.jpg")
    assert run("photos/p0.png", "p0.jpg").code == 0
    assert cubes() == ["p0.jpg.h5", "p0.png.h5"]
    Image.open("photos/p0.png").save("p0.png")
    outcome = run("photos/p0.png", "p0.png", "-o", "out")
    assert outcome.code == 2
    assert "the cubes of photos/p0.png and p0.png would both be out/p0.png.h5" in outcome.lines[0]
    assert not Path("out").exists()


def test_colours_never_trained_on_bring_a_warning_and_old_weights_are_told_once(run: Run) -> None:
    Image.new("RGB", (9, 9), (0, 255, 0)).save("neon.png")
    outcome = run("neon.png")
    assert outcome.code == 0
    assert outcome.lines[1].startswith(
        "neon.png: 100 % of the pixels have colours that the weights of linear never saw"
    )
    outcome = run("neon.png", "photos", "--weights", "old.safetensors", "--overwrite")
    assert outcome.code == 0
    assert len(outcome.lines) == 5
    assert len([line for line in outcome.lines if "do not say which colours they were trained on" in line]) == 1
    assert len(run("photos/p0.png", "-o", "again.h5").lines) == 1


def test_remarks_on_a_photo_are_told(run: Run) -> None:
    Image.new("RGBA", (9, 9), (120, 110, 100, 90)).save("alpha.png")
    outcome = run("alpha.png")
    assert outcome.code == 0
    assert any(line.startswith("alpha.png: ") and "alpha" in line.partition(": ")[2] for line in outcome.lines)


def test_a_preview_lies_beside_the_cube_and_is_no_photo_the_next_time(run: Run) -> None:
    assert run("photos", "--preview", "-o", "photos").code == 0
    assert Path("photos/p0.preview.png").exists()
    outcome = run("photos/p0.png", "photos/p0.preview.png", "photos/p1.png", "--preview", "-o", "photos", "--overwrite")
    assert outcome.code == 0
    assert outcome.lines[0] == "1 preview of an earlier run is left out"
    assert not list(Path("photos").glob("*.preview.preview.*"))


def test_a_name_with_a_line_break_has_a_preview_too(run: Run) -> None:
    Path("photos/p0.png").rename("photos/new\nline.png")
    assert run("photos/new\nline.png", "--preview").code == 0
    assert Path("new\nline.preview.png").exists()


def test_linear_light_gives_a_brighter_cube(run: Run) -> None:
    assert run("photos/p0.png", "-o", "encoded.npy").code == 0
    assert run("photos/p0.png", "-o", "linear.npy", "--linear").code == 0
    assert np.load("linear.npy").mean() > np.load("encoded.npy").mean()


def test_an_interrupt_leaves_with_130_and_keeps_what_is_finished(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from specrec.cli.run_progress import RunProgress

    real = RunProgress.finished

    def finished(self: RunProgress, *given: Any) -> None:
        real(self, *given)
        raise KeyboardInterrupt

    monkeypatch.setattr(RunProgress, "finished", finished)
    outcome = run("photos", "-o", "out")
    assert outcome.code == 130
    assert outcome.lines[-3:] == [
        "the cubes that are finished stay; --skip-existing leaves them out",
        "",  # click ends the line on which a terminal shows ^C
        "specrec: interrupted; start it again to go on",
    ]
    monkeypatch.setattr(RunProgress, "finished", real)
    assert 1 <= len(cubes("out")) == len(list(Path("out").iterdir()))
    assert run("photos", "-o", "out", "--skip-existing").code == 0
    assert len(cubes("out")) == 3


def test_pictures_in_a_folder_that_are_not_read_are_told(run: Run) -> None:
    for name in ("photos/a.HEIC", "photos/b.heif", "photos/c.avif", "photos/.d.heic", "photos/notes.txt"):
        Path(name).write_bytes(b"x")
    outcome = run("photos")
    assert outcome.code == 0
    assert outcome.lines[0] == ("1 AVIF file and 2 HEIC files passed over: not read by specrec; convert to JPEG or PNG")
    Path("phone").mkdir()
    Path("phone/a.heic").write_bytes(b"x")
    outcome = run("phone")
    assert outcome.code == 2
    assert outcome.lines[0].endswith("; 1 HEIC file there is not read: convert to JPEG or PNG")


def test_a_cluster_and_jobs_contradict_each_other(run: Run) -> None:
    outcome = run("photos", "--jobs", 2, "--dask", "local:2")
    assert (outcome.code, cubes()) == (2, [])
    assert outcome.lines[0].startswith("specrec: error: --jobs 2 and --dask local:2 contradict each other")


def test_uint16_holds_the_estimates_of_saturated_colours(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    method = registry().reconstructor("linear")
    spread = lambda _self, rgb: np.full((*rgb.shape[:2], 31), np.linspace(-0.9, 2.9, 31), np.float32)  # noqa: E731
    monkeypatch.setattr(method, "reconstruct", spread)
    assert run("photos", "--dtype", "uint16").code == 0
    with open_cube("p0.h5") as stored:
        np.testing.assert_allclose(stored.read()[0, 0], np.linspace(-0.9, 2.9, 31), atol=2**-15 + 1e-6)


def test_a_photo_behind_a_link_is_never_replaced(run: Run) -> None:
    Path("out").mkdir()
    Image.open("photos/p0.png").save("out/a.tif")
    before = Path("out/a.tif").read_bytes()
    Path("photos/b.tif").symlink_to("../out/a.tif")
    Image.open("photos/p0.png").save("photos/a.jpg")
    assert run("photos", "-o", "out", "--format", "tiff", "--overwrite").code == 0
    assert Path("out/a.tif").read_bytes() == before
    assert cubes("out") == ["a.jpg.tif", "a.tif", "b.tif", "p0.tif", "p1.tif", "p2.tif"]
    Image.open("photos/p0.png").save("x.preview.png")
    before = Path("x.preview.png").read_bytes()
    outcome = run("x.preview.png", "-o", "x.h5", "--preview", "--overwrite")
    assert (outcome.code, outcome.lines) == (
        2, ["specrec: error: x.preview.png is the photo itself; choose another name for its cube"],
    )  # fmt: skip
    assert Path("x.preview.png").read_bytes() == before


def test_only_photos_of_which_all_files_exist_are_skipped(run: Run) -> None:
    Path("p0.preview.png").write_text("mine")
    Path("p1.h5").write_text("mine")
    for name in ("p2.h5", "p2.preview.png"):
        Path(name).write_text("mine")
    outcome = run("photos", "--preview", "--skip-existing")
    assert (outcome.code, outcome.lines) == (3, [
        "p0.preview.png exists and p0.h5 does not; kept, and photos/p0.png left out",
        "p1.h5 exists and p1.preview.png does not; kept, and photos/p1.png left out",
        "1 of 3 photos left out: its cube exists",
        "specrec: error: 2 of 3 photos left out because their outputs exist in part (move that away, or --overwrite)",
    ])  # fmt: skip
    assert run("photos/p2.png", "--preview", "--skip-existing").code == 0
    outcome = run("photos/p1.png", "--preview", "--skip-existing")
    assert (outcome.code, outcome.lines) == (
        2, ["specrec: error: p1.h5 exists; choose another name or pass --overwrite"],
    )  # fmt: skip
    Path("p1.img").write_text("mine")
    outcome = run("photos", "--format", "envi", "--skip-existing")
    assert outcome.code == 3
    assert outcome.lines[0] == "p1.img exists and p1.hdr does not; kept, and photos/p1.png left out"
    assert cubes() == ["p0.hdr", "p1.h5", "p2.h5", "p2.hdr"]


def test_bands_that_cannot_be_rendered_back_are_told_once_and_have_no_preview(run: Run) -> None:
    from specrec.weights import load_file

    method = load_file(Path("old.safetensors"), "linear", {})
    save(method, Path("far.safetensors"), make_card(method, wavelengths=range(400, 1001, 20), scenes=["s"], seed=0))
    reason = (
        "the bands of far.safetensors, 31 bands, 400-1000 nm, cannot be rendered back: "
        "that needs the 31 bands 400, 410, .. 700 nm"
    )
    outcome = run("photos", "--weights", "far.safetensors")
    assert outcome.code == 0
    assert len(outcome.lines) == 4
    assert f"{reason}; so no difference from the photo is told" in outcome.lines
    assert run("photos/p0.png", "--weights", "far.safetensors", "-o", "q.h5", "-q").lines == []
    Path("p1.h5").unlink()
    outcome = run("photos", "--weights", "far.safetensors", "--preview")
    assert (outcome.code, outcome.lines) == (2, [f"specrec: error: there can be no preview: {reason}"])
    assert cubes() == ["p0.h5", "p2.h5", "q.h5"]


def test_quiet_says_differences_and_warnings_but_no_remarks(run: Run) -> None:
    Image.new("RGBA", (9, 9), (0, 255, 0, 90)).save("neon.png")
    loud, quiet = run("neon.png"), run("neon.png", "-q", "--overwrite")
    assert len(loud.lines) == 3
    assert quiet.lines == loud.lines[1:]
    assert quiet.lines[0].startswith("neon.h5: 9 x 9 pixels, 31 bands, 400-700 nm; rendered back it differs")
    assert quiet.lines[1].startswith("neon.png: 100 % of the pixels have colours")


def test_netcdf_without_its_package_is_told_before_any_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5netcdf", None)
    outcome = run("photos", "--format", "netcdf", "-o", "out")
    assert outcome.code == 2
    assert outcome.lines[0].endswith('writing NetCDF needs h5netcdf; pip install "specrec[netcdf]"')
    assert len(outcome.lines) == 1
    assert not Path("out").exists()
