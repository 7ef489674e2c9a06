"""Makes calls with boto3. A call is a line of JSON on stdin, its result a line on stdout."""

import itertools
import json
import sys

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

# Without this boto3 itself refuses what the service model does not allow.
CONFIG = Config(parameter_validation=False)


def make(call):
    service = "kinesis-video-archived-media" if call["operation"] == "GetImages" else "kinesisvideo"
    client = boto3.client(service, endpoint_url=call.get("endpoint"), config=CONFIG)
    method = xform_name(call["operation"])
    if call.get("pages"):
        yield from itertools.islice(client.get_paginator(method).paginate(**call["input"]), call["pages"])
    else:
        yield getattr(client, method)(**call["input"])


for line in sys.stdin:
    result = {"pages": []}
    try:
        result["pages"].extend(make(json.loads(line)))
    except ClientError as e:
        result["error"] = {
            "type": type(e).__name__,
            "code": e.response["Error"]["Code"],
            "status": e.response["ResponseMetadata"]["HTTPStatusCode"],
            "requestId": e.response["ResponseMetadata"]["RequestId"],
        }
    print(json.dumps(result, default=lambda time: time.isoformat()), flush=True)
