"""Lists all images of the endpoint in KVSFRAMES_LIST_URL with boto3's paginator, and says what CPU time that took."""

import base64
import json
import os
import resource

import boto3


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


client = boto3.client("kinesis-video-archived-media", endpoint_url=os.environ["KVSFRAMES_LIST_URL"])
before, size = cpu_seconds(), 0
for page in client.get_paginator("get_images").paginate(
    StreamName="cam",
    ImageSelectorType="PRODUCER_TIMESTAMP",
    StartTimestamp="2026-01-01T00:00:00Z",
    EndTimestamp="2026-01-01T00:05:00Z",
    SamplingInterval=3000,
    Format="JPEG",
):
    size += sum(len(base64.b64decode(image["ImageContent"])) for image in page["Images"])
print(json.dumps({"bytes": size, "seconds": cpu_seconds() - before}))
