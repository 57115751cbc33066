"""All processes of one execution environment: a function's process and whatever it has started.

Lambda freezes an execution environment when its invocation has been answered, and thaws it for the next one: every
process and thread in it stands still in between.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle

A function's process leads a process group, which what it starts belongs to. A process that has left the group (by
setsid, as daemons do) is found by its parents, which needs Linux's /proc.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection, Iterable
from pathlib import Path

_STOP_SECONDS = 2.0
_PR_SET_CHILD_SUBREAPER = 36
"""<linux/prctl.h>"""


def lead(root: int = 0) -> None:
    """That process, or the calling one, leads a group of its own. Called on both sides of a fork: whoever of the two
    comes first, the group is there afterwards."""
    with contextlib.suppress(OSError):  # it has ended already
        os.setpgid(root, root)


def adopt_orphans() -> None:
    """What loses its parent below the calling process becomes its child instead of init's, where the system can do
    that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def has_children() -> bool:
    """Whether the calling process has (or may have) a child, a zombie included."""
    if not hasattr(os, "waitid"):  # macOS, before Python 3.13
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def freeze(root: int, *, alone: bool) -> list[int]:
    """Stop every process of the environment and wait until they stand still; all but the root. `alone`: it has no
    children, so there is nothing to look for."""
    _signal_group(root, signal.SIGSTOP)
    _stands_still(root)
    started: list[int] = []
    # a process that is stopped starts no more: when a second look finds nothing new, that was all
    while not alone and (found := descendants(root) - set(started)):
        _signal(found, signal.SIGSTOP)
        for pid in found:
            _stands_still(pid)
        started += found
    return started


def thaw(root: int, started: Iterable[int]) -> None:
    """Let them go on; `started`: what `freeze` returned."""
    _signal_group(root, signal.SIGCONT)
    _signal(started, signal.SIGCONT)


def end(root: int, others: Collection[int]) -> int:
    """Kill and reap every process of the environment; what the root ended with: its exit status, or minus the signal
    that killed it. The caller is its parent and adopts orphans; `others`: the caller's other children."""
    _signal_group(root, signal.SIGKILL)
    status = _reap(root)
    # killing a process makes its children ours
    while orphans := children(os.getpid()) - set(others):
        _signal(orphans, signal.SIGKILL)
        for pid in orphans:
            _reap(pid)
    return status


def children(parent: int) -> set[int]:
    """Every process whose parent that is; none where there is no /proc."""
    return {pid for pid, ppid in _parents().items() if ppid == parent}


def descendants(root: int) -> set[int]:
    """Every process below it; none where there is no /proc."""
    parents, found = _parents(), {root}
    while more := {pid for pid, ppid in parents.items() if ppid in found} - found:
        found |= more
    return found - {root}


def _parents() -> dict[int, int]:
    found = {int(place.name): _fields(place) for place in _listed(Path("/proc")) if place.name.isdecimal()}
    return {pid: int(fields[1]) for pid, fields in found.items() if fields}


def _stands_still(pid: int) -> None:
    """Wait until every thread has stopped, or ended: on a busy machine that takes a while."""
    deadline = time.monotonic() + _STOP_SECONDS
    while any((_fields(task) or "X")[0] not in "TtZX" for task in _listed(Path(f"/proc/{pid}/task"))):
        if time.monotonic() > deadline:
            return  # it is in the hands of the kernel (writing to a slow disk, say) and stops when it comes back
        time.sleep(0.0002)


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _fields(process: Path) -> list[str]:
    """Of a process or a thread what stands in `stat` behind its name, which may hold anything: the state, the parent's
    id, …; nothing if it has ended. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
    try:
        return (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _reap(pid: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return 0


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):  # it has ended already
            os.kill(pid, number)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(pid, number)
