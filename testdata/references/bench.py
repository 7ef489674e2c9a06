"""Times what transforms are compared with: bench.py WHAT TIMES FILE... Tells the best seconds. WHAT is one of:
decode/N decodes the first file at 1/N in one thread. resize/WxH resizes its pixels there. shard makes tensors of 224 × 224 of a hundred
pictures, the files in turn, with two processes; drafted does so from JPEGs that libjpeg has
made smaller."""

import io
import multiprocessing
import sys
import time

import numpy
from PIL import Image, ImageOps


def decode(data, denominator):
    im = Image.open(io.BytesIO(data))
    im.draft(None, (im.width // denominator, im.height // denominator))
    return im.load()


def tensor(data):
    im = Image.open(io.BytesIO(data))
    return numpy.asarray(ImageOps.fit(im, (224, 224), Image.Resampling.BILINEAR))[numpy.newaxis]


def drafted(data):
    im = Image.open(io.BytesIO(data))
    im.draft("RGB", (448, 448))
    return numpy.asarray(ImageOps.fit(im, (224, 224), Image.Resampling.BILINEAR))[numpy.newaxis]


def best(times, do):
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        do()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


if __name__ == "__main__":
    what, times, files = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    pictures = [open(f, "rb").read() for f in files]
    what, _, how = what.partition("/")
    if what == "decode":
        print(best(times, lambda: decode(pictures[0], int(how))))
    elif what == "resize":
        im, size = Image.open(files[0]).convert("RGB"), tuple(int(side) for side in how.split("x"))
        print(best(times, lambda: im.resize(size, Image.Resampling.BILINEAR)))
    else:
        hundred = [pictures[i % len(pictures)] for i in range(100)]
        with multiprocessing.Pool(2) as pool:
            one = {"shard": tensor, "drafted": drafted}[what]
            pool.map(one, hundred[:4])
            print(best(times, lambda: pool.map(one, hundred, chunksize=5)))
