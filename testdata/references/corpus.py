"""What Pillow makes of many small JPEGs of every kind that it writes: corpus.py OUT.npz.
Arrays: jpeg/I, decode/I/DENOMINATOR of it, and resize/I/WxH:MODE:FILTER of its pixels."""

import io
import random
import sys

import numpy
from PIL import Image

from expected import FILTERS, MODES, rgb


def scene(kind, width, height):
    """Noise, slopes, black and white, or waves: what saturates, and what real pictures have."""
    y, x = numpy.mgrid[0:height, 0:width]
    made = numpy.random.default_rng(kind + 4 * width + 1000 * height)
    if kind == 0:
        a = made.integers(0, 256, (height, width, 3))
    elif kind == 1:
        a = numpy.stack([x * 255 / width, y * 255 / height, x * y % 256], axis=2)
    elif kind == 2:
        a = made.integers(0, 2, (height, width, 3)) * 255
    else:
        waves = 128 + 100 * numpy.sin(x / 7) + made.normal(0, 8, x.shape)
        a = numpy.stack([waves, y * 255 / height, 128 + 90 * numpy.cos((x + y) / 11)], axis=2)
    return Image.fromarray(a.clip(0, 255).astype(numpy.uint8))


def corpus():
    random.seed(1)
    for i in range(600):
        width, height = random.randint(1, 64 if i % 2 else 300), random.randint(1, 64 if i % 2 else 200)
        im = scene(i % 4, width, height)
        if random.random() < 0.1:
            im = im.convert("L")
        out = io.BytesIO()
        im.save(out, "JPEG", quality=random.choice((1, 5, 20, 50, 75, 85, 95, 100)), subsampling=random.randrange(3),
                optimize=random.random() < 0.3, restart_marker_blocks=random.choice((0, 0, 1, 7)))
        yield f"jpeg/{i}", numpy.frombuffer(out.getvalue(), numpy.uint8)
        for denominator in (1, 2, 4, 8):
            im = Image.open(out)
            im.draft(None, (max(1, width // denominator), max(1, height // denominator)))
            if im.size == (-(-width // denominator), -(-height // denominator)):
                yield f"decode/{i}/{denominator}", rgb(im)
        size = random.randint(1, 250), random.randint(1, 30 if i % 3 else 250)
        mode, f = random.choice(("stretch", "crop")), random.choice(sorted(FILTERS))
        resized = MODES[mode](Image.open(out).convert("RGB"), size, FILTERS[f])
        yield f"resize/{i}/{size[0]}x{size[1]}:{mode}:{f}", rgb(resized)


if __name__ == "__main__":
    numpy.savez(sys.argv[1], **dict(corpus()))
