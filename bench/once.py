"""One process of one edge, as Lambda would start it: import, the first answer, then many. Prints one JSON object.

python -P -S -s -B once.py PATHS MODULE [FIRST [LATER...]]: `PATHS` (separated as in PYTHONPATH) is all that can be
imported beside the standard library. `FIRST` and `LATER` are files, each with the JSON of one event. Nothing of this
repository is on the way: this file is run by its path.
"""

import importlib
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

CONTEXT = SimpleNamespace(function_name="slack", invoked_function_arn="arn:aws:lambda:us-east-1:1:function:slack")


def peak_rss_bytes() -> int:
    """Of this program alone: what `getrusage` says begins with the memory of whoever started it.

    https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main(paths: str, module: str, *files: str) -> dict[str, object]:
    """Seconds are processor time; `answered_at` is the system's monotonic clock."""
    sys.path[:0] = paths.split(":")
    events = [json.loads(Path(file).read_text(encoding="utf-8")) for file in files]
    began = time.process_time()
    handler = importlib.import_module(module).handler
    ready = time.process_time()
    known = set(sys.modules)
    status = [handler(event, CONTEXT)["statusCode"] for event in events[:1]]
    found: dict[str, object] = {
        "status": status[0] if status else 0,
        "answered_at": time.monotonic(),
        "init_seconds": ready - began,
        "handler_seconds": time.process_time() - ready,
        "cpu_seconds": time.process_time(),
        "peak_rss_bytes": peak_rss_bytes(),
        "imported_late": sorted(set(sys.modules) - known),
    }
    later = events[1:]
    since, worked = time.perf_counter(), time.process_time()
    found["statuses"] = sorted({handler(event, CONTEXT)["statusCode"] for event in later})
    if later:
        found["warm_seconds"] = (time.perf_counter() - since) / len(later)
        found["warm_cpu_seconds"] = (time.process_time() - worked) / len(later)
    return found


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
