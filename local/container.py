"""The second engine in Docker, for the length of a command: `python -m local.container COMMAND…`.

Starts the container of compose.yaml, waits until it answers, runs the command with ENGINE and LAMBDA_HOST set, and
takes the container away again, also after Ctrl-C. The command's exit status; 1 where there is no engine.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

COMPOSE = Path(__file__).resolve().parents[1] / "compose.yaml"
SERVICE = "stepfunctions-local"
READY_SECONDS, ASK_SECONDS = 60.0, 30.0
KEYS = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
INSTEAD = "Without ENGINE the bot runs on its built-in engine, which needs no Docker; ENGINE=http://… names any other."
LOOPBACK = "127.0.0.1"


class NoEngine(Exception):
    """There is no container to run on; the text says why and what to do."""


class Docker:
    """The `docker` command, found and asked. Raises NoEngine where it, compose or the daemon is missing."""

    def __init__(self) -> None:
        self._path = shutil.which("docker") or ""
        if not self._path:
            raise NoEngine(
                "ENGINE=docker needs Docker, and there is no docker command here. Install Docker Engine or Docker "
                f"Desktop (https://docs.docker.com/get-docker/). {INSTEAD}"
            )
        if self._ask("compose", "version").returncode:
            raise NoEngine(
                "ENGINE=docker needs Docker Compose, and this docker command does not know it. Install the plugin "
                f"(https://docs.docker.com/compose/install/; on Debian and Ubuntu: docker-compose-v2). {INSTEAD}"
            )
        seen = self._ask("info", "--format", "{{.ServerVersion}}")
        if seen.returncode:
            words = (seen.stderr.strip() or "no answer").splitlines()[-1]
            raise NoEngine(
                f"ENGINE=docker needs a running Docker daemon, and there is none for you here ({words}). Start Docker "
                "Desktop, or: sudo systemctl start docker; if it may not be reached, add yourself to the group docker. "
                f"{INSTEAD}"
            )

    def compose(self, *words: str) -> int:
        """`docker compose …` for the file beside this package; its words go where ours go. The exit status."""
        return subprocess.run([self._path, "compose", "--file", str(COMPOSE), *words], check=False).returncode

    def gateway(self) -> str:
        """What host.docker.internal is to a container on Linux: the default bridge's IPv4 address. Empty: unknown."""
        shown = self._ask("network", "inspect", "bridge", "--format", "{{range .IPAM.Config}}{{.Gateway}} {{end}}")
        return next((word for word in shown.stdout.split() if word.count(".") == 3), "")

    def _ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [self._path, *words], capture_output=True, text=True, timeout=ASK_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(words, 1, "", f"no answer within {ASK_SECONDS:.0f} s")


def lambda_host(gateway: str) -> str:
    """Where the functions' endpoint must listen so that the container reaches it: the bridge, if this machine has
    that address; otherwise the container runs in a machine of its own (Docker Desktop), which leads to our loopback."""
    if not gateway:
        return LOOPBACK
    with socket.socket() as probe:
        try:
            probe.bind((gateway, 0))
        except OSError:
            return LOOPBACK
    return gateway


class Command:
    """The command that is run, and the signals that are meant for it."""

    def __init__(self) -> None:
        self.stopped = 0
        self._running: subprocess.Popen[bytes] | None = None

    def signalled(self, number: int, _: FrameType | None) -> None:
        """Ctrl-C reaches the command by itself, it is of the same group; what is sent to us alone is handed on."""
        first, self.stopped = not self.stopped, number
        if self._running is not None:
            if number == signal.SIGTERM:
                self._running.terminate()
        elif first:  # whoever is impatient does not interrupt the taking away
            raise KeyboardInterrupt

    def run(self, words: Sequence[str], env: dict[str, str]) -> int:
        """Its exit status; 128 and the signal's number where one ended it."""
        self._running = subprocess.Popen(words, env=env)
        status = self._running.wait()
        return status if status >= 0 else 128 - status


def engine(docker: Docker, command: Command, words: Sequence[str]) -> int:
    """Start the container, run the command on it, take it away. Raises NoEngine."""
    import boto3

    from local import machine

    url = f"http://{LOOPBACK}:{os.environ.get('ENGINE_PORT', '').strip() or 8083}"
    env = os.environ | {"ENGINE": url}
    env["LAMBDA_HOST"] = os.environ.get("LAMBDA_HOST", "").strip() or lambda_host(docker.gateway())
    try:
        if docker.compose("up", "--detach", "--quiet-pull", SERVICE):
            raise NoEngine(f"Docker could not start the engine; its own words stand above. {INSTEAD}")
        try:
            machine.ready(boto3.client("stepfunctions", endpoint_url=url, **KEYS), READY_SECONDS)
        except ConnectionError:
            docker.compose("logs", "--tail", "20", SERVICE)
            raise NoEngine(
                f"The engine in Docker does not answer at {url} within {READY_SECONDS:.0f} s; its last words stand "
                f"above. {INSTEAD}"
            ) from None
        return command.run(words, env)
    finally:
        docker.compose("down", "--timeout", "5")


def main(words: Sequence[str]) -> int:
    """Run the command on an engine in Docker."""
    if not words:
        print(__doc__, file=sys.stderr)
        return 2
    command = Command()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, command.signalled)
    try:
        return engine(Docker(), command, words)
    except NoEngine as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + command.stopped


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
