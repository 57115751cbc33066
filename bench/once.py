"""One process of one edge, as Lambda would start it: import, the first answer, then many. Prints one JSON object.

python -m bench.once MODULE command|forged|stray [WARM]
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from types import SimpleNamespace
from typing import Any

from bench import requests
from bench.far import SIGNING_SECRET

CONTEXT = SimpleNamespace(function_name="slack", invoked_function_arn="arn:aws:lambda:us-east-1:1:function:slack")


def main(module: str, kind: str, warm: int) -> dict[str, Any]:
    """Seconds of the process's own time are CPU seconds; `answered_at` is the system's monotonic clock."""

    handler, made = importlib.import_module(module).handler, requests.KINDS[kind]
    status = handler(made(SIGNING_SECRET, 0), CONTEXT)["statusCode"]
    found = {"status": status, "answered_at": time.monotonic(), "cpu_seconds": time.process_time()}
    found["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    events = [made(SIGNING_SECRET, number) for number in range(1, warm + 1)]
    began, worked = time.perf_counter(), time.process_time()
    statuses = {handler(one, CONTEXT)["statusCode"] for one in events}
    if warm:
        found["warm_seconds"] = (time.perf_counter() - began) / warm
        found["warm_cpu_seconds"] = (time.process_time() - worked) / warm
        found["statuses"] = sorted(statuses)
    return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)))
