"""What Pillow, numpy and imagehash make of testdata/pictures: expected.py PICTURES OUT.npz.
An array each: decode/PICTURE/DENOMINATOR, turn/PICTURE, resize/PICTURE/WxH:MODE:FILTER,
tensor/PICTURE/DTYPE, hash/PICTURE (of the picture as the transform takes it) and
dhash/PICTURE (of the whole)."""

import pathlib
import sys

import imagehash
import numpy
from PIL import Image, ImageOps

FILTERS = {
    "nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR,
    "catmullrom": Image.Resampling.BICUBIC, "area": Image.Resampling.BOX,
}
MODES = {
    "stretch": lambda im, size, f: im.resize(size, f),
    "fit": ImageOps.contain,
    "crop": ImageOps.fit,
    "pad": ImageOps.pad,
}
SIZES = {
    "scene.jpg": ((32, 24), (17, 35), (160, 50), (200, 100)),
    "420.jpg": ((67, 45), (20, 20), (60, 20)),
    "16x16.jpg": ((16, 1), (5, 40), (15, 10)),
    "17x33.jpg": ((12, 9),),
}


def rgb(im):
    if im.mode == "I;16":  # Pillow would clip to 255
        im = Image.fromarray((numpy.asarray(im) >> 8).astype(numpy.uint8))
    return numpy.asarray(im.convert("RGB"))


def bits(h):
    return numpy.packbits(h.hash.flatten())


def expected(folder):
    for path in sorted(folder.iterdir()):
        name = path.name
        if ".bad." in name:
            continue
        yield f"decode/{name}/1", rgb(Image.open(path))
        if name.endswith(".jpg"):
            for denominator in (2, 4, 8):
                im = Image.open(path)
                whole = im.size
                im.draft(None, (max(1, im.width // denominator), max(1, im.height // denominator)))
                if whole[0] >= denominator <= whole[1]:
                    yield f"decode/{name}/{denominator}", rgb(im)
        if name.startswith("turned"):
            yield f"turn/{name}", rgb(ImageOps.exif_transpose(Image.open(path)))
        im = Image.open(path)
        im.draft("L", (72, 64))
        yield f"hash/{name}", bits(imagehash.dhash(im if im.mode == "L" else Image.fromarray(rgb(im))))
        yield f"dhash/{name}", bits(imagehash.dhash(Image.fromarray(rgb(Image.open(path)))))
    for name, sizes in SIZES.items():
        im = Image.open(folder / name).convert("RGB")
        for size in sizes:
            for mode, resize in MODES.items():
                for f, method in FILTERS.items():
                    yield f"resize/{name}/{size[0]}x{size[1]}:{mode}:{f}", rgb(resize(im, size, method))
    im = Image.open(folder / "scene.jpg")
    im.draft("RGB", (2 * 32, 2 * 18))
    yield "resize/scene.jpg/drafted", rgb(im.resize((32, 18), Image.Resampling.BOX))
    for name in ("420.jpg", "grey.jpg"):
        pixels = rgb(Image.open(folder / name))[numpy.newaxis]
        yield f"tensor/{name}/uint8", pixels
        yield f"tensor/{name}/float32", pixels.astype("<f4") / numpy.float32(255)


if __name__ == "__main__":
    numpy.savez_compressed(sys.argv[2], **dict(expected(pathlib.Path(sys.argv[1]))))
