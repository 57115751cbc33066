"""How much a first call may compute: said in seconds on Lambda, held in processor time on whatever machine this is.

Lambda's handler has memory / 1,769 MB of a processor
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html), and its cores are taken to be 1.7 times slower
than the one on which CALIBRATION was taken. The loop is measured again beside every figure: what makes this machine
faster, or slower for a while, changes both.
"""

from __future__ import annotations

import hashlib
import json
import time
from statistics import median

EDGE_SECONDS, STEP_SECONDS = 0.8, 1.0
COMMAND_SECONDS, COMMAND_START = 0.15, 0.6
"""The Slack edge's first command, and the start of its process before: three times and more than twice what they should
be, so that a busy machine is not taken for a slow function."""
SLOWER, WHOLE = 1.7, 1769
CALIBRATION = 0.0042
"""Seconds of one `calibrate()` on the machine where the limits were set, with nothing else running."""


def loop() -> int:
    """The same work each time, of the kind that a handler does."""
    size, row = 0, {"id": "d-0", "plan": {"target": "dev", "version": "v1.2.3", "approvers": ["U0LEE0001"] * 20}}
    for number in range(220):
        text = json.dumps({**row, "number": number}, sort_keys=True)
        found = json.loads(text)
        names = sorted(f"{key}={value}" for key, value in found["plan"].items())
        size += len(hashlib.sha256("&".join(names).encode()).hexdigest()) + len(text.split(","))
    return size


def calibrate(times: int = 9) -> float:
    """Seconds of processor time of this thread for one loop, the median of so many."""
    found = []
    for _ in range(times):
        began = time.thread_time()
        loop()
        found.append(time.thread_time() - began)
    return median(found)


def limit(seconds: float, memory_mb: int) -> float:
    """Processor time, on the machine of CALIBRATION, that stands for so many seconds in the handler on Lambda."""
    return seconds * min(1.0, memory_mb / WHOLE) / SLOWER


def used(processor_seconds: float, calibration: float) -> float:
    """Processor time as that machine would have needed it. `calibration`: of this machine, at that moment."""
    return processor_seconds * CALIBRATION / calibration
