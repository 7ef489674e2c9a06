"""Reads a dataset, or the files that a pattern finds, as its users would: read.py READER DIR [PATTERN]. Each sample is a line of JSON on stdout."""

import base64
import glob
import hashlib
import io
import json
import sys

from PIL import Image


def tell(key, stream, sample_ms, image_ms, width, height, format, picture):
    """Of a picture that a reader does not decode itself, it is the bytes."""
    if isinstance(picture, bytes):
        picture = Image.open(io.BytesIO(picture))
    line = {
        "key": key, "stream": stream, "sample_ms": sample_ms, "image_ms": image_ms,
        "width": width, "height": height, "format": format,
        "decoded": picture.size, "rgb": base64.b64encode(picture.convert("RGB").tobytes()).decode(),
    }
    print(json.dumps(line))


def milliseconds(time):
    return round(time.timestamp() * 1000)


def tell_sidecar(sample, picture):
    j = sample["json"]
    if sample["__key__"] != j["key"]:
        raise ValueError(f"{sample['__key__']} has the JSON of {j['key']}")
    tell(j["key"], j["stream"], j["sample_time_ms"], j["image_time_ms"], j["width"], j["height"], j["format"], picture)


def tell_row(row):
    tell(row["key"], row["stream"], milliseconds(row["sample_time"]), milliseconds(row["image_time"]),
         row["width"], row["height"], row["format"], row["image"])


def webdataset(files):
    import webdataset

    for sample in webdataset.WebDataset(files, shardshuffle=False).decode("pil"):
        tell_sidecar(sample, sample.get("jpg") or sample.get("png"))


def datasets_webdataset(files):
    import datasets

    loaded = datasets.load_dataset("webdataset", data_files=files, split="train")
    pictures = [name for name, feature in loaded.features.items() if isinstance(feature, datasets.Image)]
    for sample in loaded:
        tell_sidecar(sample, sample[pictures[0]])


def datasets_parquet(files):
    import datasets

    loaded = datasets.load_dataset("parquet", data_files=files, split="train")
    want = {
        "key": "string", "stream": "string",
        "sample_time": "timestamp[ms, tz=UTC]", "image_time": "timestamp[ms, tz=UTC]",
        "width": "int32", "height": "int32", "format": "string",
    }
    if "tensor" in loaded.features:
        want["tensor"] = "binary"
    want = {name: datasets.Value(dtype) for name, dtype in want.items()} | {"image": datasets.Image()}
    if loaded.features != want:
        raise ValueError(f"the features are {loaded.features}")
    for row in loaded:
        tell_row(row)


def pyarrow(files):
    import pyarrow.parquet

    for file in files:
        for row in pyarrow.parquet.read_table(file, page_checksum_verification=True).to_pylist():
            tell_row(row | {"image": row["image"]["bytes"]})


def duckdb(files):
    import duckdb

    tell_rows(duckdb.execute("SELECT * FROM read_parquet($files)", {"files": files}))


def tell_rows(found):
    names = [column[0] for column in found.description]
    for values in found.fetchall():
        row = dict(zip(names, values))
        tell_row(row | {"image": row["image"]["bytes"]})


def duckdb_prunes(files):
    """Reads the first row group of a file by its times. The second is made unreadable first: whoever does not
    pass over it fails."""
    import duckdb
    import pyarrow.parquet

    file = files[0]
    second = pyarrow.parquet.read_metadata(file).row_group(1)
    times = second.column(2)
    with open(file, "r+b") as f:
        for column in (second.column(i) for i in range(second.num_columns)):
            f.seek(column.data_page_offset)
            f.write(b"\xff" * column.total_compressed_size)
    query = "SELECT * FROM read_parquet($file) WHERE sample_time < $before"
    tell_rows(duckdb.execute(query, {"file": file, "before": times.statistics.min}))
    try:
        duckdb.execute("SELECT sum(epoch_ms(sample_time)) FROM read_parquet($file)", {"file": file}).fetchall()
    except duckdb.Error:
        return
    raise ValueError("the second row group can be read")


def tfrecord(files):
    import tfrecord

    for file in files:
        for features in tfrecord.tfrecord_loader(file, None):
            tell(*(features["image/" + name].decode() for name in ("key", "stream")),
                 *(features["image/" + name].item() for name in ("timestamp", "image_timestamp", "width", "height")),
                 features["image/format"].decode().upper(), bytes(features["image/encoded"]))


def tensorflow(files):
    import tensorflow as tf

    texts, numbers = ("key", "stream", "format", "encoded"), ("timestamp", "image_timestamp", "width", "height")
    features = {"image/" + name: tf.io.FixedLenFeature([], tf.string) for name in texts}
    features |= {"image/" + name: tf.io.FixedLenFeature([], tf.int64) for name in numbers}
    for record in tf.data.TFRecordDataset(files):
        example = tf.io.parse_single_example(record, features)
        of = {name: example["image/" + name].numpy() for name in texts + numbers}
        tell(of["key"].decode(), of["stream"].decode(), *(int(of[name]) for name in numbers),
             of["format"].decode().upper(), Image.fromarray(tf.io.decode_image(of["encoded"], channels=3).numpy()))


def index_duckdb(_):
    import duckdb

    found = duckdb.execute("SELECT * FROM read_parquet($file)", {"file": directory + "/index/*/*.parquet"})
    names = [column[0] for column in found.description]
    for values in found.fetchall():
        tell_indexed(dict(zip(names, values)))


def index_pyarrow(_):
    for row in index_rows():
        tell_indexed(row)


def index_rows():
    import pyarrow.parquet

    files = sorted(glob.glob(directory + "/index/*/*.parquet"))
    return pyarrow.parquet.read_table(files, page_checksum_verification=True).to_pylist()


OF_FRAMES = ("image_time", "file", "offset", "size", "sha256", "format", "width", "height")


def tell_indexed(row):
    """Takes the picture from where the row says that it is."""
    frame = row["kind"] == "frame"
    if frame != (row["outcome"] == "FRAME") or any((row[name] is None) == frame for name in OF_FRAMES):
        raise ValueError(f"a row is {row}")
    if not frame:
        return
    tell_row(row | {"image": bytes_at(row)})


def bytes_at(row, prefix=""):
    """What the row says is the picture or, with the prefix of its columns, the tensor."""
    with open(f"{directory}/{row[prefix + 'file']}", "rb") as file:
        file.seek(row[prefix + "offset"])
        found = file.read(row[prefix + "size"])
    if hashlib.sha256(found).hexdigest() != row[prefix + "sha256"]:
        raise ValueError(f"{row['key']} has another {prefix}sha256")
    return found


def index_tensors(_):
    """Takes the tensor, too, from where the row says that it is, and the picture from the tensor."""
    import numpy

    for row in index_rows():
        if (row["tensor_file"] is None) != (row["kind"] != "frame"):
            raise ValueError(f"a row is {row}")
        if row["kind"] != "frame":
            continue
        tell_row(row | {"image": Image.fromarray(numpy.load(io.BytesIO(bytes_at(row, "tensor_")))[0])})


def card(files):
    """Loads the dataset by nothing but its folder."""
    import datasets

    loaded = datasets.load_dataset(directory, split="train")
    if files[0].endswith(".tar"):
        pictures = [name for name, feature in loaded.features.items() if isinstance(feature, datasets.Image)]
        for sample in loaded:
            tell_sidecar(sample, sample[pictures[0]])
    elif files[0].endswith(".parquet"):
        for row in loaded:
            tell_row(row)
    elif files[0].endswith(".tfrecord"):
        for row in loaded:
            tell_indexed(row)
    else:
        if list(loaded.features) != ["image"]:
            raise ValueError(f"the features are {loaded.features}")
        rows = {row["key"]: row for row in index_rows()}
        paths = loaded.cast_column("image", datasets.Image(decode=False))
        for sample, path in zip(loaded, paths):
            key = path["image"]["path"].rpartition("/")[2].rpartition(".")[0]
            tell_row(rows[key] | {"image": sample["image"]})


reader, directory, *pattern = sys.argv[1:]
globals()[reader](sorted(glob.glob(glob.escape(directory) + "/" + (pattern or ["shards/*/*"])[0])))
