"""Makes testdata/pictures: pictures.py FOLDER. They are kept: run this only to
add one. It needs requirements.txt and, for what Pillow cannot write, libturbojpeg."""

import ctypes
import io
import pathlib
import struct
import sys
import zlib

import numpy
from PIL import Image


def scene(width, height, seed):
    """Slopes, sharp edges of colour and some noise: what decoders differ in."""
    y, x = numpy.mgrid[0:height, 0:width]
    a = numpy.stack([x * 255 / width, y * 255 / height, (x + y) * 255 / (width + height)], axis=2)
    a[height // 4 : height // 2, width // 3 : width // 2] = (255, 0, 0)
    a[height // 3 : height * 3 // 4, width * 2 // 3 : width * 5 // 6] = (0, 0, 255)
    a[height // 2 :, : width // 5] = (0, 255, 0)
    a[(x - width * 0.4) ** 2 + (y - height * 0.7) ** 2 < (height / 6) ** 2] = (255, 255, 0)
    a += numpy.random.default_rng(seed).normal(0, 6, a.shape)
    return a.clip(0, 255).astype(numpy.uint8)


def jpeg(picture, **options):
    out = io.BytesIO()
    picture.save(out, "JPEG", **options)
    return out.getvalue()


def turbo(pixels, sampling, quality=85):
    """A JPEG in a sampling that Pillow does not write."""
    library = ctypes.CDLL("libturbojpeg.so.0")
    library.tjInitCompress.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(library.tjInitCompress())
    buffer, size = ctypes.POINTER(ctypes.c_ubyte)(), ctypes.c_ulong(0)
    height, width, _ = pixels.shape
    failed = library.tjCompress2(handle, pixels.ctypes.data_as(ctypes.c_void_p), width, 0, height, 0,
                                 ctypes.byref(buffer), ctypes.byref(size), sampling, quality, 0)
    assert not failed
    return ctypes.string_at(buffer, size.value)


def png(rows, width, height, depth, colour, interlaced=False, extra=b""):
    """A PNG. rows(x0, dx, y0, dy) yields the packed rows of a pass."""
    passes = [(0, 1, 0, 1)]
    if interlaced:
        passes = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]
    raw = b"".join(b"\0" + row for p in passes if p[0] < width and p[2] < height for row in rows(*p))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    data = chunk(b"IDAT", zlib.compress(raw, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + data + chunk(b"IEND", b"")


def exif(orientation):
    e = Image.Exif()
    e[0x0112] = orientation
    return e.tobytes()


def pictures():
    a = scene(67, 45, 1)
    rgb = Image.fromarray(a)
    for name, sampling in (("444", 0), ("422", 1), ("420", 2)):
        yield f"{name}.jpg", jpeg(rgb, quality=85, subsampling=sampling)
    yield "440.jpg", turbo(a, 4)
    yield "411.jpg", turbo(a, 5)
    yield "grey.jpg", jpeg(rgb.convert("L"), quality=85)
    yield "progressive.jpg", jpeg(rgb, quality=85, subsampling=2, progressive=True)
    yield "restart.jpg", jpeg(rgb, quality=85, subsampling=2, restart_marker_blocks=3)
    yield "optimized.jpg", jpeg(rgb, quality=100, subsampling=0, optimize=True)
    yield "quality1.jpg", jpeg(rgb, quality=1, subsampling=2)
    yield "cmyk.jpg", jpeg(rgb.convert("CMYK"), quality=90)
    yield "rgb.jpg", jpeg(rgb, quality=90, keep_rgb=True)
    for orientation in range(1, 9):
        yield f"turned{orientation}.jpg", jpeg(rgb.resize((24, 16)), quality=85, subsampling=0, exif=exif(orientation))
    for width, height in ((1, 1), (2, 2), (3, 5), (5, 3), (16, 16), (17, 33)):
        yield f"{width}x{height}.jpg", jpeg(Image.fromarray(scene(width, height, 2)), quality=85, subsampling=2)
    yield "mirror.jpg", jpeg(Image.fromarray(a[:, ::-1].copy()), quality=85, subsampling=2)
    yield "scene.jpg", jpeg(Image.fromarray(scene(160, 90, 3)), quality=80, subsampling=2)
    whole = jpeg(rgb, quality=85, subsampling=2)
    yield "truncated.bad.jpg", whole[: len(whole) * 2 // 3]
    yield "header.bad.jpg", whole[:100]
    frame = whole.index(b"\xff\xc0")
    yield "zero.bad.jpg", whole[: frame + 5] + b"\0\0\0\0" + whole[frame + 9 :]
    yield "huge.bad.jpg", whole[: frame + 5] + struct.pack(">HH", 60000, 60000) + whole[frame + 9 :]

    out = io.BytesIO()
    rgb.save(out, "PNG")
    yield "rgb.png", out.getvalue()
    out = io.BytesIO()
    rgb.quantize(37).save(out, "PNG", transparency=3)
    yield "palette.png", out.getvalue()
    out = io.BytesIO()
    alpha = Image.fromarray(numpy.dstack([a, a[:, :, 0]]))
    alpha.save(out, "PNG")
    yield "alpha.png", out.getvalue()
    out = io.BytesIO()
    rgb.convert("LA").save(out, "PNG")
    yield "greyalpha.png", out.getvalue()
    out = io.BytesIO()
    rgb.convert("1").save(out, "PNG")
    yield "bilevel.png", out.getvalue()
    out = io.BytesIO()
    rgb.convert("L").save(out, "PNG")
    yield "grey.png", out.getvalue()
    wide = a.astype(">u2") * 256 + numpy.random.default_rng(4).integers(0, 256, a.shape, dtype=numpy.uint16)
    wide = wide.astype(">u2")
    yield "rgb16.png", png(lambda x, dx, y, dy: (row.tobytes() for row in wide[y::dy, x::dx]), 67, 45, 16, 2)
    grey16 = wide[:, :, 1]
    yield "grey16.png", png(lambda x, dx, y, dy: (row.tobytes() for row in grey16[y::dy, x::dx]), 67, 45, 16, 0)
    yield "interlaced.png", png(lambda x, dx, y, dy: (row.tobytes() for row in a[y::dy, x::dx]), 67, 45, 8, 2, True)
    whole = png(lambda x, dx, y, dy: (row.tobytes() for row in a[y::dy, x::dx]), 67, 45, 8, 2)
    yield "truncated.bad.png", whole[: len(whole) // 2]
    yield "zero.bad.png", png(lambda *_: (), 0, 0, 8, 2)
    yield "huge.bad.png", png(lambda *_: (), 60000, 60000, 8, 2)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    for name, data in pictures():
        (folder / name).write_bytes(data)
