"""The process that functions' processes are forked from: heavy packages are imported here once, and shared.

A fork of it answers in milliseconds and shares its pages, where a fresh Python would import boto3 for 300
ms and keep 40 MB of its own. (multiprocessing's forkserver would do the same but for re-importing the
program's main module in every child, which here is the whole local run.) Started as `python -m
local.runtime.zygote`; its standard input is the socket that it takes orders from. It kills what it forked
and leaves when that socket ends: nothing outlives the runtime.

Orders: {"fork": function} with one file descriptor -> {"pid": N}; {"end": pid} -> {"status": S}; {"reset": true} ends
all.
Each travels as four bytes of length (the descriptor rides on them), then JSON.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from local.runtime import sandbox

LENGTH = struct.Struct("!I")
Fds = Sequence[int]
DESCRIBED = ("dynamodb", "stepfunctions", "secretsmanager", "ecs", "codedeploy", "events")


def send(control: socket.socket, message: dict[str, Any], fds: Fds = ()) -> None:
    body = json.dumps(message).encode()
    socket.send_fds(control, [LENGTH.pack(len(body))], fds)
    control.sendall(body)


def receive(control: socket.socket) -> tuple[dict[str, Any] | None, Fds]:
    """The next message and the descriptors that came with it; None once the other side is gone."""
    header, fds, _, _ = socket.recv_fds(control, LENGTH.size, 1)
    body = b""
    while header and len(body) < LENGTH.unpack(header)[0]:
        piece = control.recv(LENGTH.unpack(header)[0] - len(body))
        if not piece:
            break
        body += piece
    return (json.loads(body) if body else None), fds


def main(preload: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sandbox.adopt_orphans()
    for name in preload:
        with contextlib.suppress(ImportError):  # a package that no function needs may be missing
            importlib.import_module(name)
    with contextlib.suppress(ImportError):
        _read_descriptions()
    from local.runtime import worker

    # Objects that live forever go where the collector does not look (it would write to every page and
    # unshare it).
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=os.dup(0))
    send(control, {"ready": True})
    children: set[int] = set()
    while True:
        order, fds = receive(control)
        if order is None:
            break
        if "fork" in order:
            pid = os.fork()
            if pid == 0:
                _become(worker.main, control, fds[0], order["fork"])
            os.close(fds[0])
            sandbox.lead(pid)
            children.add(pid)
            send(control, {"pid": pid})
        elif "reset" in order:
            while children:
                sandbox.end(children.pop(), children)
            send(control, {"reset": True})
        else:
            children.discard(order["end"])
            send(control, {"status": sandbox.end(order["end"], children)})
    while children:
        sandbox.end(children.pop(), children)


def _read_descriptions() -> None:
    """Parse botocore's descriptions of the services that functions use, for all of them.

    Else each process parses them anew for its first client: 70 of the 100 ms that this client takes.
    """
    from botocore import loaders, session

    create_loader, shared = loaders.create_loader, loaders.create_loader()
    for service in DESCRIBED:
        shared.load_service_model(service, "service-2")
        shared.load_service_model(service, "endpoint-rule-set-1")
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        shared.load_data(name)

    def loader_for(search_path_string: str | None = None) -> Any:
        return create_loader(search_path_string) if search_path_string else shared

    session.create_loader = loader_for


def _become(work: Any, control: socket.socket, fd: int, function: dict[str, Any]) -> None:
    """In the child: serve, and never return into the zygote's loop."""
    code = 1
    try:
        control.close()
        sandbox.lead()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        work(Connection(fd), function)
        os.killpg(0, signal.SIGKILL)  # nobody asks any more: what the handler has started ends with it
    except SystemExit as left:  # a handler that calls sys.exit ends its process, as on AWS
        code = left.code if isinstance(left.code, int) else 1
    except BaseException:  # noqa: BLE001 - the process ends here; its log should say why
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
