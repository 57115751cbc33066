#!/usr/bin/env python3
"""A `docker` that does what local.container asks of the real one, for tests: put it on PATH under that name.

FAKE_DOCKER is a folder: `calls` there gets every call, `lacks` (compose, daemon, up, answers) says what is missing.
The engine that it "starts" is $FAKE_ENGINE with its arguments, or a listener that hangs up twice and then answers.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

HERE = Path(os.environ["FAKE_DOCKER"])
LACKS = (HERE / "lacks").read_text().split() if (HERE / "lacks").exists() else []
HANG_UPS = 2


def serve() -> None:
    """Step Functions Local as it is while it starts."""
    seen = 0

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            nonlocal seen
            seen += 1
            if "answers" in LACKS or seen <= HANG_UPS:
                self.close_connection = True
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"stateMachines": []}')

        def log_message(self, *_: object) -> None:
            pass

    HTTPServer(("127.0.0.1", int(os.environ["ENGINE_PORT"])), Handler).serve_forever()


def main(words: list[str]) -> int:
    with (HERE / "calls").open("a") as calls:
        calls.write(shlex.join(words) + "\n")
    if words[:2] == ["compose", "version"]:
        return 1 if "compose" in LACKS else 0
    if words[0] == "info":
        sys.stderr.write("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n")
        return 1 if "daemon" in LACKS else 0
    if words[0] == "network":
        sys.stdout.write(os.environ.get("FAKE_GATEWAY", "192.0.2.1") + "\n")
    if "up" in words:
        if "up" in LACKS:
            return 1
        engine = shlex.split(os.environ.get("FAKE_ENGINE", "")) or [sys.executable, __file__, "serve"]
        started = subprocess.Popen(engine, stdout=subprocess.DEVNULL, start_new_session=True)
        (HERE / "pid").write_text(str(started.pid))
    if "logs" in words:
        sys.stdout.write("the engine's last words\n")
    if "down" in words and (HERE / "pid").exists():
        with suppress(ProcessLookupError):
            os.kill(int((HERE / "pid").read_text()), signal.SIGTERM)
        (HERE / "pid").unlink()
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    sys.exit(main(sys.argv[1:]))
