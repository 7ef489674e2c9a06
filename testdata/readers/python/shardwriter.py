"""Writes shards of 100 frames of 100 kB with webdataset's own writer: shardwriter.py SHARDS DIR. Tells the seconds."""

import os
import sys
import time

import webdataset

shards, directory = int(sys.argv[1]), sys.argv[2]
frames = [os.urandom(100_000) for _ in range(100)]
began = time.perf_counter()
for shard in range(shards):
    with webdataset.TarWriter(f"{directory}/{shard % 20}.tar") as writer:
        for i, picture in enumerate(frames):
            writer.write({
                "__key__": f"front~door_{shard:06}_{i:06}", "jpg": picture,
                "json": {
                    "stream": "front.door", "sample_time_ms": 3000 * i, "format": "JPEG", "width": 1280, "height": 720,
                },
            })
print(time.perf_counter() - began)
