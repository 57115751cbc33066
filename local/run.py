"""`make run`: the whole bot on one machine, with a page to use it from, until Ctrl-C."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import time
from typing import Any

from chatops.domain.errors import InvalidConfiguration
from local import checked, settings
from local.session import Session
from local.stage import Stage


def main() -> int:
    """Exit status 0 after Ctrl-C, 1 where a port is taken, a setting is wrong or Slack refuses."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    began = time.monotonic()
    settings.ignore_aws_files()
    try:
        known = checked.checked()
    except checked.Wrong as error:
        print(error, file=sys.stderr)
        return 1
    stage = Stage(_settings(known), known.targets, _Greeting(began, bool(known.workspace)))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stage.stop())
    try:
        stage.run()
    except ConnectionError as error:
        print(error, file=sys.stderr)
        return 1
    except (InvalidConfiguration, ValueError) as error:
        print(error.text if isinstance(error, InvalidConfiguration) else f"{error}.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The bot could not start: {error.strerror or error}. {_way_out(error)}".rstrip(), file=sys.stderr)
        return 1
    return 0


def _settings(known: checked.Checked) -> dict[str, Any]:
    return {
        "port": known.port,
        "lambda_port": known.lambda_port,
        "lambda_host": known.lambda_host,
        "engine": known.engine,
        "max_warm": 24,  # a hundred deployments at once start few processes anew
        "environment": known.workspace,
    }


def _way_out(error: OSError) -> str:
    """What to do about a port that cannot be had; nothing about any other error."""
    another = "PORT=… picks another port for all of it, LAMBDA_PORT=… one for the functions."
    if error.errno == errno.EADDRINUSE:
        return f"Is it running already? {another}"
    if error.errno == errno.EACCES and "cannot listen" in str(error.strerror):
        return f"Ports below 1024 are the system's. {another}"
    return ""


class _Greeting:
    """Says where things are, once; the sessions after the first only say where their logs are."""

    def __init__(self, began: float, workspace: bool) -> None:
        self._began, self._workspace, self._said = began, workspace, False

    def __call__(self, made: Session) -> None:
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
