"""Makes calls with the AWS CLI. A call is a line of JSON on stdin, its result a line on stdout."""

import json
import pathlib
import re
import subprocess
import sys

from botocore import xform_name

PAGINATION = {"MaxItems": "--max-items", "PageSize": "--page-size", "StartingToken": "--starting-token"}
AWS = pathlib.Path(sys.executable).with_name("aws")


def make(call):
    service = "kinesis-video-archived-media" if call["operation"] == "GetImages" else "kinesisvideo"
    options = ["--output", "json"]
    if "endpoint" in call:
        options += ["--endpoint-url", call["endpoint"]]
    if "pagination" in call:
        for name, value in call["pagination"].items():
            options += [PAGINATION[name], str(value)]
    elif call.get("pages"):
        size = call["input"].pop("MaxResults")
        options += ["--page-size", str(size), "--max-items", str(size * call["pages"])]
    else:
        options += ["--no-paginate"]
    options += ["--cli-input-json", json.dumps(call["input"])]
    done = subprocess.run([AWS, service, xform_name(call["operation"], "-"), *options], capture_output=True, text=True)
    if done.returncode == 0:
        return {"pages": [json.loads(done.stdout or "{}")]}
    code = re.search(r"An error occurred \((\w+)\)", done.stderr)
    if not code:
        raise RuntimeError(done.stderr)
    return {"error": {"type": code[1], "code": code[1]}}


for line in sys.stdin:
    print(json.dumps(make(json.loads(line))), flush=True)
