"""Small files for the tests of photos: PNGs chunk by chunk, and ICC profiles built from primaries and curves."""

import struct
import zlib

import numpy as np

D50 = np.array([0.9642, 1.0, 0.8249])
D65 = (0.3127, 0.3290)
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
PROPHOTO = ((0.734699, 0.265301), (0.159597, 0.840403), (0.036598, 0.000105))
PROPHOTO_WHITE = (0.345704, 0.358540)
ADOBE_GAMMA = 563 / 256
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def picture(height=5, width=7, seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (height, width, 3), dtype=dtype, endpoint=True)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bytes(width, height, depth, colour, data, extra=b""):
    """A PNG from the specification, without Pillow: it can hold what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
    return start + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def deep_png(values, extra=b""):
    """A 16-bit PNG of (height, width, 1 to 4 channels)."""
    height, width, channels = values.shape
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
    return png_bytes(width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], lines, extra)


def profile_chunk(profile):
    return chunk(b"iCCP", b"a name\0\0" + zlib.compress(profile))


def gamma_curve(gamma):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def table_curve(values):
    return b"curv" + bytes(4) + struct.pack(">I", len(values)) + np.rint(values * 65535).astype(">u2").tobytes()


def srgb_curve():
    """The parametric curve of type 3."""
    return (
        b"para"
        + bytes(4)
        + struct.pack(">HH", 3, 0)
        + b"".join(map(_fixed, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
    )


def rgb_profile(name, primaries, white, curve):
    """A version 2 profile: matrix and curves, the white adapted to D50 as Bradford does."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    white_xyz = np.array([white[0] / white[1], 1.0, (1 - white[0] - white[1]) / white[1]])
    columns = columns * np.linalg.solve(columns, white_xyz)
    cones = np.diag((_BRADFORD @ D50) / (_BRADFORD @ white_xyz))
    red, green, blue = (np.linalg.inv(_BRADFORD) @ cones @ _BRADFORD @ columns).T
    tags = {b"rXYZ": _xyz(red), b"gXYZ": _xyz(green), b"bXYZ": _xyz(blue)}
    return _profile(b"RGB ", name, tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def grey_profile(name, curve):
    return _profile(b"GRAY", name, {b"kTRC": curve})


def ink_profile(name, white=(100.0, 0.0, 0.0)):
    """Inks whose colour is that of a table of two points per ink: each darkens to a third and none has a hue."""
    inks = np.stack(np.meshgrid(*[np.arange(2)] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    lightness = 100.0 * (1.0 / 3.0) ** inks.sum(axis=1)
    lab = np.stack([lightness * 65280 / 100 / 65535, np.full(16, 32768 / 65535), np.full(16, 32768 / 65535)], axis=1)
    line = struct.pack(">HH", 0, 65535)
    identity = b"".join(_fixed(value) for value in np.eye(3).ravel())
    table = b"mft2" + bytes(4) + bytes([4, 3, 2, 0]) + identity + struct.pack(">HH", 2, 2) + line * 4
    table += np.rint(lab * 65535).astype(">u2").tobytes() + line * 3
    return _profile(b"CMYK", name, {b"A2B0": table, b"A2B1": table}, kind=b"prtr", between=b"Lab ")


def _profile(space, name, tags, kind=b"mntr", between=b"XYZ "):
    words = name.encode() + b"\0"
    described = b"desc" + bytes(4) + struct.pack(">I", len(words)) + words + bytes(78)
    tags = {b"desc": described, b"cprt": b"text" + bytes(4) + b"none\0", b"wtpt": _xyz(D50)} | tags
    table, body = struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        table += tag + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(body), b"", 0x02400000, kind, space, between)
    head = (head.ljust(36, b"\0") + b"acsp").ljust(64, b"\0") + struct.pack(">I", 1) + _xyz(D50)[8:]
    return head.ljust(128, b"\0") + table + body


def _fixed(value):
    return struct.pack(">i", round(value * 65536))


def _xyz(values):
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, values))
