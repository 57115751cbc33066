"""`make run`: the whole bot on one machine, with a page to use it from, until Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time

from local import socket_mode
from local.stage import Stage
from local.world import World

PORT, LAMBDA_PORT = 8765, 9301


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) > 65535:
        sys.exit(f"{variable} is {text!r}; it should hold a port number.")
    return int(text)


def _engine() -> str:
    engine = os.environ.get("ENGINE", "").strip() or os.environ.get("AWS_ENDPOINT_URL_SFN", "").strip()
    if engine and not engine.startswith(("http://", "https://")):
        sys.exit(
            f"ENGINE is {engine!r}; it should hold the URL of a Step Functions endpoint, http://host:port, "
            "or docker for make run and make test."
        )
    return engine


def _workspace() -> dict[str, str]:
    """What the functions are told of a real Slack workspace, if this run serves one."""
    try:
        return socket_mode.environment(os.environ) if socket_mode.wanted(os.environ) else {}
    except ValueError as error:
        sys.exit(f"{error}.")


def main() -> int:
    """Exit status 0 after Ctrl-C, 1 where a port is taken, a setting is wrong or Slack refuses."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    began = time.monotonic()
    engine, port, workspace = _engine(), _port("PORT", PORT), _workspace()
    # an engine outside this process has been told 9301; nobody else minds which port it is
    lambda_port = _port("LAMBDA_PORT", LAMBDA_PORT if engine else 0)
    # and one in a container cannot reach the loopback of this machine
    lambda_host = os.environ.get("LAMBDA_HOST", "").strip() or "127.0.0.1"
    settings = {
        "port": port,
        "lambda_port": lambda_port,
        "lambda_host": lambda_host,
        "engine": engine,
        "environment": workspace,
    }
    stage = Stage(settings, _Greeting(began, bool(workspace)))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stage.stop())
    try:
        stage.run()
    except ConnectionError as error:
        print(error, file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"{error}.", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"The bot could not start: {error.strerror or error}. Is it running already? "
            "PORT=… picks another port for all of it, LAMBDA_PORT=… one for the functions.",
            file=sys.stderr,
        )
        return 1
    return 0


class _Greeting:
    """Says where things are, once; the worlds after the first only say where their logs are."""

    def __init__(self, began: float, workspace: bool) -> None:
        self._began, self._workspace, self._said = began, workspace, False

    def __call__(self, made: World) -> None:
        if self._said:
            print(f"Everything anew; logs {made.runtime.log_dir}", flush=True)
            return
        self._said = True
        print(f"The bot is up after {time.monotonic() - self._began:.1f} s.")
        print(f"  page    {made.url}")
        print(f"  Slack   {made.url}/prod/slack/events   (signing secret: {_shown(made.signing_secret)})")
        print(f"  engine  {made.engine_url}   machine {made.machine_arn}")
        print(f"  Lambda  {made.runtime.url}   logs {made.runtime.log_dir}")
        if self._workspace:
            print("  your Slack workspace is connected (Socket Mode); SLACK_APPROVERS=U… asks for approvals there")
        print("Ctrl-C stops everything.", flush=True)


def _shown(secret: str) -> str:
    """A secret that somebody set is not printed."""
    return "from SLACK_SIGNING_SECRET" if os.environ.get("SLACK_SIGNING_SECRET", "").strip() else secret


if __name__ == "__main__":
    sys.exit(main())
