"""Time and memory that AWS's customers don't see."""

from __future__ import annotations

import contextlib
import enum
import logging
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from local.engine.patches.patcher import Patches, Settings

_PROGRAMS: OrderedDict[str, Any] = OrderedDict()
_PROGRAMS_KEPT = 8
_parsing = threading.Lock()


def forget_programs() -> None:
    """A program that was parsed with some patches is not valid for an engine without them."""
    with _parsing:
        _PROGRAMS.clear()


def _program(definition: str, parse: Callable[[str], Any]) -> Any:
    """Parsed by the first that wants it, while the others wait for it: this and later engines of the process."""
    with _parsing:
        if definition not in _PROGRAMS:
            _PROGRAMS[definition] = parse(definition)[0]
        _PROGRAMS.move_to_end(definition)
        while len(_PROGRAMS) > _PROGRAMS_KEPT:
            _PROGRAMS.popitem(last=False)
        return _PROGRAMS[definition]


def definitions_are_parsed_once(patches: Patches, _: Settings) -> None:
    """AWS: an execution starts in milliseconds.

    moto: parses the definition anew when it is made and for each execution (300 ms of computing for 40 KB, while
    everything else waits), and keeps every thread object it ever started.
    """
    from moto.stepfunctions.parser import utils
    from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
    from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

    parse = AmazonStateLanguageParser.parse

    def parse_once(definition: str) -> tuple[Any, None]:
        # Map keeps what belongs to one execution in its components: that is parsed afresh. Parallel does not.
        shareable = '"Map"' not in definition
        return (_program(definition, parse) if shareable else parse(definition)[0]), None  # nobody asks for the tree

    start = ExecutionWorker.start

    def start_thread(self: Any) -> None:
        utils.TMP_THREADS[:] = [thread for thread in utils.TMP_THREADS if thread.is_alive()]
        start(self)

    patches.replace(AmazonStateLanguageParser, "parse", staticmethod(parse_once))
    patches.replace(ExecutionWorker, "start", start_thread)
    # Counters of retries are filed under this key; moto makes it up on first use, which two threads may do
    # at once.
    patches.replace(EvalComponent, "heap_key", property(lambda self: str(id(self))))


def answers_are_written_from_what_they_hold(patches: Patches, _: Settings) -> None:
    """AWS: an answer's length costs its customers nothing.

    moto: asks for each member that a structure may have, under several names: 40 times for an event of a history, and
    twice ten times for a text in a table. A third of what the engine computes; a plain dict says itself what it holds.
    """
    from moto.core.serialize import ResponseSerializer

    write = ResponseSerializer._serialize_type_structure

    def structure(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        members = shape.members
        if type(value) is not dict or self._value_picker.response_transformers or not value.keys() <= members.keys():
            write(self, serialized, value, shape, key)
            return
        into = self.MAP_TYPE() if key else serialized
        for name, member in value.items():
            if member is not None:
                members[name].parent = shape
                self._serialize(into, member, members[name], name)
        if key:
            self._default_serialize(serialized, into, shape, key)

    patches.replace(ResponseSerializer, "_serialize_type_structure", structure)


def failures_are_not_printed(patches: Patches, _: Settings) -> None:
    """AWS: how an execution failed stands in its history and in DescribeExecution.

    moto: also logs each failure as an error, with all of the component that failed written out (for the
    machine as a whole, 100 KB), which Python prints to the terminal where nobody has set up logging.
    """
    from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent

    def silent(self: Any, **_: Any) -> None:
        pass

    patches.replace(EvalComponent, "_log_failure_event_exception", silent)
    patches.replace(EvalComponent, "_log_exception", silent)
    for name, child in list(logging.root.manager.loggerDict.items()):
        if name.startswith("moto.stepfunctions") and isinstance(child, logging.Logger):
            patches.replace(child, "disabled", True)


@contextlib.contextmanager
def without_tables_of_ec2() -> Iterator[None]:
    """While moto's interpreter is imported: keep it from loading moto's EC2.

    moto: for one enumeration of its Batch integration it loads Batch, and with it EC2 and the table of all
    instance types: 100 MB of the 165 that the engine would take. This project's flow calls Lambda alone.
    """
    names = ("moto.batch", "moto.batch.utils")
    if any(name in sys.modules for name in names):
        yield
        return
    package, utils = (ModuleType(name) for name in names)
    package.__path__ = []
    vars(utils)["JobStatus"] = enum.Enum("JobStatus", {"SUCCEEDED": "SUCCEEDED", "FAILED": "FAILED"})
    sys.modules.update(zip(names, (package, utils), strict=True))
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
