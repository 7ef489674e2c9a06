"""Makes calls with boto3. A call is a line of JSON on stdin, its result a line on stdout."""

import functools
import itertools
import json
import sys

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Without this boto3 itself refuses what the service model does not allow.
CONFIG = Config(parameter_validation=False)


@functools.cache
def client_of(service, endpoint):
    return boto3.client(service, endpoint_url=endpoint, config=CONFIG)


def make(call):
    service = "kinesis-video-archived-media" if call["operation"] == "GetImages" else "kinesisvideo"
    client = client_of(service, call.get("endpoint"))
    method = xform_name(call["operation"])
    if "pagination" in call:
        pages = client.get_paginator(method).paginate(**call["input"], PaginationConfig=call["pagination"])
        yield pages.build_full_result()
    elif call.get("pages"):
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
    except (BotoCoreError, AttributeError, LookupError, TypeError, ValueError) as e:  # before or between calls
        result["error"] = {"type": type(e).__name__}
    print(json.dumps(result, default=lambda time: time.isoformat()), flush=True)
