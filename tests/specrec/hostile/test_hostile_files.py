"""Files made to do harm: read or refused in a sentence, in little memory and time, and nothing else is touched.

``SPECREC_HOSTILE`` is how many damaged copies of each file are tried; the usual number takes seconds.
"""

import contextlib
import io
import json
import os
import re
import struct
import sys
import zlib

import h5py
import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
import pytest
import scipy.io
import tifffile
from confined import readings

from specrec.cubes import write_cube
from specrec.spectra import WAVELENGTHS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts its memory as Linux does")

COPIES = int(os.environ.get("SPECREC_HOSTILE", "20"))
CUBE = np.random.default_rng(0).random((3, 4, 31), dtype=np.float32)
MASK = np.arange(12).reshape(3, 4) > 0
SUFFIXES = {"h5": ".h5", "packed": ".h5", "mat": ".mat", "nc": ".nc", "tif": ".tif", "npy": ".npy", "v5": ".mat"}


def make_cube(kind, path):
    if kind == "v5":
        scipy.io.savemat(path, {"ref": CUBE, "lbl": MASK.astype(float)}, do_compression=True)
    elif kind == "packed":
        with h5py.File(path, "w") as file:
            file.attrs.update(format_version=1, quantity=np.bytes_("reflectance"))
            file.create_dataset("cube", data=CUBE, chunks=(2, 2, 31), compression="gzip", shuffle=True)
            file["wavelengths"] = WAVELENGTHS
    else:
        mask = None if kind == "npy" else MASK
        write_cube(path, CUBE, WAVELENGTHS, {"quantity": "reflectance", "note": "x"}, mask)


def damage(content, suffix, folder, copies=COPIES):
    """Write copies of a file with a few other bytes each, or cut off somewhere."""
    rng = np.random.default_rng(len(content))
    for number in range(copies):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 4)):
            damaged[place] = rng.choice([0, 255, damaged[place] ^ 1, rng.integers(256)])
        if number % 5 == 0:
            damaged = damaged[: rng.integers(0, len(content))]
        (folder / f"{number}{suffix}").write_bytes(damaged)


def test_a_damaged_cube_file_of_any_form_is_read_or_refused(tmp_path):
    folder = tmp_path / "damaged"
    folder.mkdir()
    for kind, suffix in SUFFIXES.items():
        make_cube(kind, tmp_path / f"whole{suffix}")
        damage((tmp_path / f"whole{suffix}").read_bytes(), f"-{kind}{suffix}", folder)
        (tmp_path / f"whole{suffix}").rename(folder / f"whole-{kind}{suffix}")
    found = readings("cube", folder)
    assert {name: found[name] for name in found if name.startswith("whole")} == {
        f"whole-{kind}{suffix}": "" for kind, suffix in SUFFIXES.items()
    }
    assert sum(map(bool, found.values())) > 0.1 * len(found)


def an_hdf5(path, make, suffix=".h5"):
    with h5py.File(path.with_suffix(suffix), "w") as file:
        file.attrs.update(format_version=1, quantity=np.bytes_("reflectance"))
        file["wavelengths"] = WAVELENGTHS
        make(file)


def virtual(file, other):
    layout = h5py.VirtualLayout(CUBE.shape, "f4")
    layout[...] = h5py.VirtualSource(str(other), "cube", CUBE.shape)
    file.create_virtual_dataset("cube", layout)


def test_an_hdf5_file_leads_to_no_other_file(tmp_path):
    folder, other = tmp_path / "hostile", tmp_path / "own.h5"
    folder.mkdir()
    with h5py.File(other, "w") as file:
        file["cube"] = CUBE
    secret = tmp_path / "secret"
    secret.write_bytes(CUBE.tobytes())
    os.mkfifo(tmp_path / "pipe")  # whoever opens it waits for ever
    external = h5py.ExternalLink
    storage = {"shape": CUBE.shape, "dtype": "f4", "external": [(str(secret), 0, CUBE.nbytes)]}
    an_hdf5(folder / "storage", lambda file: file.create_dataset("cube", **storage))
    an_hdf5(folder / "link", lambda file: file.__setitem__("cube", external(str(other), "/cube")))
    an_hdf5(folder / "pipe", lambda file: file.__setitem__("cube", external(str(tmp_path / "pipe"), "/cube")))
    an_hdf5(folder / "loop", lambda file: file.__setitem__("cube", h5py.SoftLink("/cube")))
    an_hdf5(folder / "virtual", lambda file: virtual(file, other))
    an_hdf5(folder / "named", lambda file: file.create_group("two\nlines\x1b[31m"))
    for suffix, key in ((".nc", "radiance"), (".mat", "rad"), (".mat", "ref")):
        with h5py.File(folder / f"{key}{suffix}", "w") as file:
            file.attrs["Conventions" if suffix == ".nc" else "note"] = np.bytes_("CF-1.11")
            file[key] = external(str(tmp_path / "pipe"), "/cube")
    found = readings("cube", folder)
    for name in ("link.h5", "pipe.h5", "loop.h5", "rad.mat"):
        assert "is a link to elsewhere, and links are not followed" in found.pop(name)
    for name in ("storage.h5", "virtual.h5"):
        assert "is kept in other files, which are not read" in found.pop(name)
    assert all(found.values())


def test_what_unpacks_to_far_more_than_it_takes_is_refused_until_the_limit_is_raised(tmp_path, monkeypatch):
    (tmp_path / "bombs").mkdir()
    zeros = np.zeros((64, 64, 31), dtype=np.float32)
    zeros[0, 0] = 1.0
    packed = {"data": zeros, "chunks": zeros.shape, "compression": "gzip"}
    an_hdf5(tmp_path / "bombs" / "a", lambda file: file.create_dataset("cube", **packed))
    scipy.io.savemat(tmp_path / "bombs" / "b.mat", {"ref": zeros, "lbl": zeros[..., 0] + 1}, do_compression=True)
    assert list(readings("cube", tmp_path / "bombs").values()) == ["", ""]
    monkeypatch.setenv("SPECREC_MAX_BYTES", "100000")
    for sentence in readings("cube", tmp_path / "bombs").values():
        assert re.search(
            r"unpacked of so little \(100,000\); if it is no trap, set SPECREC_MAX_BYTES=5079\d\d$", sentence
        )
    monkeypatch.setenv("SPECREC_MAX_BYTES", "much")
    assert set(readings("cube", tmp_path / "bombs").values()) == {
        "SPECREC_MAX_BYTES is a number of bytes such as 2147483648, not 'much'"
    }


def header(**changes):
    grid = ",".join(map(str, range(400, 701, 10)))
    said = {"samples": 4, "lines": 3, "bands": 31, "data type": 4, "interleave": "bip", "byte order": 0}
    lines = {**said, "wavelength units": "nm", "wavelength": f"{{{grid}}}", **changes}
    return "ENVI\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


def test_envi_headers_that_lie_or_never_end_are_refused(tmp_path):
    values = ["-1", "0", "9" * 15, "9" * 5000, "nan", "1e999", "{", "{" * 999, "../../etc/passwd", "a\0b", "\x1b[31m"]
    for key in (
        "samples",
        "lines",
        "bands",
        "header offset",
        "data type",
        "wavelength",
        "data ignore value",
        "quantity",
    ):
        for number, value in enumerate(values):
            (tmp_path / f"{key}{number}.hdr").write_text(header(**{key: value}))
    (tmp_path / "open.hdr").write_text("ENVI\n" + "description = {\n" * 200_000)
    (tmp_path / "many.hdr").write_text("ENVI\n" + "".join(f"k{number} = 1\n" for number in range(200_000)))
    for path in list(tmp_path.iterdir()):
        path.with_suffix(".img").write_bytes(CUBE.tobytes())
    found = readings("cube", tmp_path)
    assert found["open.hdr"].endswith("open.hdr is too long for an ENVI header")
    assert found["many.hdr"].endswith("many.hdr is too long for an ENVI header")
    assert "needs" in found["samples2.hdr"] or "need" in found["samples2.hdr"]


def test_arrays_of_python_objects_run_nothing(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    (tmp_path / "npy").mkdir()
    np.save(tmp_path / "npy" / "pickle.npy", np.array([[[Trap()]]], dtype=object), allow_pickle=True)
    for number, shape in enumerate(
        ["(2147483648, 2147483648, 31)", "(-3, 4, 31)", "(" * 900, "(9**9**9,)", "(0, 4, 31)"]
    ):
        text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
        (tmp_path / "npy" / f"{number}.npy").write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text)
    assert all(readings("cube", tmp_path / "npy").values())
    assert not (tmp_path / "sprung").exists()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, depth, pixels, *chunks):
    size = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + size + b"".join(chunks) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_photos_that_are_bombs_cost_neither_memory_nor_time(tmp_path):
    bomb, plain = zlib.compress(bytes(1 << 27), 9), zlib.compress((b"\0" + bytes(12)) * 4)
    photos = {
        "pixels.png": png(4, 4, 16, bomb),
        "profile.png": png(4, 4, 8, plain, chunk(b"iCCP", b"x\0\0" + bomb)),
        "words.png": png(4, 4, 8, plain, *[chunk(b"zTXt", b"x\0\0" + bomb)] * 10),
        "size.png": png(0xFFFFFFFF, 0xFFFFFFFF, 8, plain),
        "drawing.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "page.jpg": b"%PDF-1.4",
        "print.png": b"%!PS-Adobe-3.0 EPSF-3.0\n",
        "frame.gif": b"GIF89a" + struct.pack("<2H3Bs5H", 4, 4, 0, 0, 0, b",", 0, 0, 65535, 65535, 0),
        "far.tif": b"II+\0\x08\0\0\0" + struct.pack("<Q", 1 << 63) + bytes(100),
        "loop.tif": b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 256, 4, 1, 16, 8),
    }
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (1000, 1000), 9).save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    photos["scans.jpg"] = content[:-2] + content[content.rindex(b"\xff\xda") : -2] * 20_000 + b"\xff\xd9"
    for name, content in photos.items():
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    found = readings("photo", tmp_path)
    assert found["pipe.png"].endswith("pipe.png: it is no plain file")
    assert found["zero.png"].endswith("zero.png: it is no plain file")
    assert "scans.jpg is no photo: it has more than 200 scans" in found["scans.jpg"]
    assert {name for name, sentence in found.items() if not sentence} <= {"pixels.png", "profile.png", "words.png"}


def weights_file(path, settings, config, arrays, **card):
    from safetensors.numpy import save_file

    grid = [float(nm) for nm in WAVELENGTHS]
    about = {"format_version": 1, "method": "linear", "settings": settings, "wavelengths": grid, "input": "srgb8"}
    metadata = {"card": json.dumps({**about, "rendering": "", **card}), "config": json.dumps(config)}
    save_file(arrays, path, metadata)


def test_weights_that_claim_a_huge_network_or_hold_odd_cards_are_refused(tmp_path):
    from specrec import weights

    tiny = {"a": np.zeros(1, dtype=np.float32)}
    weights_file(tmp_path / "gan.safetensors", {"width": 100_000}, {"bands": 31, "seed": 0}, tiny, method="gan")
    shipped = weights.find("linear").read_bytes()
    for number, odd in enumerate([{}, "x", None, [[1]], [float("nan")], [1e400], ["9" * 5000]]):
        weights_file(tmp_path / f"linear-grid{number}.safetensors", {}, {}, tiny, wavelengths=odd)
        weights_file(tmp_path / f"linear-config{number}.safetensors", {}, odd, tiny)
        weights_file(tmp_path / f"linear-method{number}.safetensors", {}, {}, tiny, method=odd)
    (tmp_path / "linear-long.safetensors").write_bytes(struct.pack("<Q", 1 << 63) + b"{}")
    (tmp_path / "linear-deep.safetensors").write_bytes(struct.pack("<Q", 100_000) + b"[" * 100_000)
    damage(shipped, "-linear.safetensors", tmp_path)
    found = readings("weights", tmp_path)
    assert all(sentence for name, sentence in found.items() if not name.endswith("-linear.safetensors"))


def test_a_damaged_tiff_of_pages_is_read_or_refused(tmp_path):
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        for band in range(31):
            file.write(CUBE[..., band], description=json.dumps({"wavelengths": WAVELENGTHS.tolist()}), metadata=None)
    damage(buffer.getvalue(), ".tif", tmp_path)
    for number, said in enumerate(["{" * 99_999, '{"wavelengths": ' + "9" * 5000 + "}", '{"wavelengths": [1e999]}']):
        tifffile.imwrite(tmp_path / f"said{number}.tif", CUBE[..., 0], description=said, metadata=None)
    found = readings("cube", tmp_path)
    assert all(sentence for name, sentence in found.items() if name.startswith("said"))


def test_a_library_prints_nothing_of_a_damaged_photo_and_others_do(tmp_path, capfd, monkeypatch):
    from specrec.errors import DataError
    from specrec.images import read_image

    tags = [(256, 16), (257, 16), (258, 8), (259, 6), (262, 6), (273, 300), (277, 3), (278, 16), (279, 768)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    path = tmp_path / "old.tif"
    path.write_bytes(b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(1200))
    real = PIL.TiffImagePlugin.TiffImageFile.load

    def load(picture):
        os.write(2, b"told by another thread\n")
        return real(picture)

    monkeypatch.setattr(PIL.TiffImagePlugin.TiffImageFile, "load", load)
    with pytest.raises(DataError, match="is damaged"):
        read_image(path)
    said = capfd.readouterr()
    assert (said.out, set(said.err.splitlines())) == ("", {"told by another thread"})
    with contextlib.suppress(OSError):
        PIL.Image.open(path).load()
    assert "JPEG" in capfd.readouterr().err, "whoever reads it otherwise is told what the library says"
