"""The engine in a process of its own: `python -m local.engine PORT LAMBDA_URL [WAIT_TIME_SCALE] [older]`, until
Ctrl-C. `older`: as Step Functions Local is, where that is less than AWS.
"""

from __future__ import annotations

import signal
import sys
import threading

from local.engine.server import EmbeddedEngine


def main(arguments: list[str]) -> int:
    older = arguments[2:][-1:] == ["older"]
    if older:
        arguments = arguments[:-1]
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    port, lambda_url, scale = int(arguments[0]), arguments[1], float((arguments[2:] or ["1"])[0])
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    with EmbeddedEngine(lambda_url, scale, port, older=older) as engine:
        print(f"Step Functions, DynamoDB and Secrets Manager at {engine.url}; Lambda at {lambda_url}", flush=True)
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
