"""The state machine on an engine: made for one session, and taken away with it where the engine stays."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

READY_SECONDS = 30.0
_NEWER = re.compile("MaxDelaySeconds")
_NEWER_FIELD = re.compile(r',\s*"MaxDelaySeconds":\s*\d+')
"""Newer than Step Functions Local 1.7.9, which refuses a definition with it. It bounds the pause between two tries;
without it they are further apart, and all else is the same."""
ROLE = "arn:aws:iam::123456789012:role/local"


def create(sfn: Any, stack: ExitStack, name: str, definition: str, *, lasting: bool) -> str:
    """Its ARN. `lasting`: the engine goes on after this session, and perhaps serves others beside it: the machine then
    has a name of its own, so that nobody meets another's executions, and leaves when `stack` is closed."""
    if not lasting:
        return str(sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"])
    ready(sfn)
    own = f"{name}-{uuid.uuid4().hex[:8]}"
    try:
        made = sfn.create_state_machine(name=own, definition=definition, roleArn=ROLE)
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidDefinition" or not _NEWER.search(str(error)):
            raise
        older = _NEWER_FIELD.sub("", definition)
        made = sfn.create_state_machine(name=own, definition=older, roleArn=ROLE)
    arn = str(made["stateMachineArn"])
    stack.callback(_leave, sfn, arn)
    return arn


def ready(sfn: Any, seconds: float = READY_SECONDS) -> None:
    """Wait until the engine answers: Step Functions Local takes connections for some seconds before it can.

    Raises ConnectionError with what to do where it does not within that time.
    """
    until, pause = time.monotonic() + seconds, threading.Event()
    while True:
        try:
            sfn.list_state_machines(maxResults=1)
        except (BotoCoreError, ClientError) as error:
            if time.monotonic() > until:
                raise ConnectionError(
                    f"The engine at {sfn.meta.endpoint_url} does not answer ({type(error).__name__}). Is it running, "
                    "and is that its address? ENGINE=docker starts one; without ENGINE there is one built in."
                ) from None
            pause.wait(0.2)
        else:
            return


def executions(sfn: Any, arn: str, **only: str) -> Iterator[dict[str, Any]]:
    """All executions of the machine. `only`: a statusFilter."""
    return _listed(sfn.list_executions, "executions", stateMachineArn=arn, **only)


def history(sfn: Any, arn: str) -> list[dict[str, Any]]:
    """All events of an execution, oldest first."""
    return list(_listed(sfn.get_execution_history, "events", executionArn=arn, maxResults=1000))


def _listed(ask: Callable[..., dict[str, Any]], key: str, **asked: Any) -> Iterator[dict[str, Any]]:
    """What stands under `key`, page by page."""
    while True:
        page = ask(**asked)
        yield from page[key]
        if not page.get("nextToken"):
            return
        asked["nextToken"] = page["nextToken"]


def _leave(sfn: Any, arn: str) -> None:
    """What still runs would call the functions of whoever comes next to this Lambda endpoint."""
    try:
        for execution in list(executions(sfn, arn, statusFilter="RUNNING")):
            sfn.stop_execution(executionArn=execution["executionArn"])
        sfn.delete_state_machine(stateMachineArn=arn)
    except (BotoCoreError, ClientError):
        return  # the engine went first
