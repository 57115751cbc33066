"""What paths mean: https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html"""

from __future__ import annotations

import datetime as dt
import functools
import re
from typing import Any

from local.engine.patches.patcher import Patches, Settings

PACKAGE = "moto.stepfunctions.parser"
STEP = re.compile(r"""\.([A-Za-z_][\w-]*)|\['([^']*)'\]|\["([^"]*)"\]|\[(\d+)\]""")
INDEFINITE = ("?", "*", ":", "..", ",")


def definite_paths_give_values(patches: Patches, _: Settings) -> None:
    """AWS: a path that can name one place only (`$.a[0].b`) gives the value there, or fails if there is
    none; one that can name several (`$.a[*].b`, `$..b`, slices, filters) gives a list.
    https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html

    moto: gives a list for `$.a[0].b`, and compiles every path anew each time (1.5 ms).
    """
    from moto.stepfunctions.parser.asl.component.common.path import result_path
    from moto.stepfunctions.parser.asl.utils import json_path

    compiled = functools.lru_cache(1024)(json_path.parse)

    def extract_json(path: str, data: Any) -> Any:
        steps = _steps(path)
        if steps is not None:
            return _walk(steps, path, data, json_path.NoSuchJsonPathError)
        values = [match.value for match in compiled(path).find(data)]
        if not values and not any(sign in path for sign in INDEFINITE):
            raise json_path.NoSuchJsonPathError(json_path=path, data=data)
        return values

    patches.replace_everywhere(PACKAGE, "extract_json", extract_json)
    patches.replace(result_path, "parse", functools.lru_cache(1024)(result_path.parse))


@functools.lru_cache(4096)
def _steps(path: str) -> tuple[str | int, ...] | None:
    """Keys and indices from the root, for a definite path; None for another."""
    rest, steps = path.lstrip("$"), []
    while rest:
        found = STEP.match(rest)
        if not found:
            return None
        dotted, single, double, index = found.groups()
        name = next((text for text in (dotted, single, double) if text is not None), None)
        steps.append(int(index) if name is None else name)
        rest = rest[found.end() :]
    return tuple(steps)


def _walk(steps: tuple[str | int, ...], path: str, data: Any, missing: Any) -> Any:
    value = data
    for step in steps:
        inside = step in value if isinstance(value, dict) else isinstance(value, list) and _has(value, step)
        if not inside:
            raise missing(json_path=path, data=data)
        value = value[step]
    return value


def _has(values: list[Any], step: str | int) -> bool:
    return isinstance(step, int) and step < len(values)


def choice_needs_its_variable(patches: Patches, _: Settings) -> None:
    """AWS: a Choice rule on a path that is not there fails the execution with States.Runtime; IsPresent
    alone may ask. https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html

    moto: takes the rule for false and goes on, so a definition that works here would fail there.
    """
    from moto.stepfunctions.parser.asl.component.state.choice.comparison import comparison_variable, variable
    from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_operator_type import (
        ComparisonOperatorType,
    )

    comparison = comparison_variable.ComparisonVariable

    def evaluate(self: Any, env: Any) -> None:
        self.variable.eval(env)
        asked = self.comparison_function.operator_type
        if isinstance(env.stack[-1], variable.NoSuchVariable) and asked != ComparisonOperatorType.IsPresent:
            raise _invalid(env, self.variable)
        self.comparison_function.eval(env)

    patches.replace(comparison, "_eval_body", evaluate)


def null_has_no_paths(patches: Patches, _: Settings) -> None:
    """AWS: where the input is null, a Choice rule on any path into it fails the execution with States.Runtime, also one
    that asks with IsPresent. Seen with Step Functions Local 1.7.9.

    moto: takes the path for absent and goes on.
    """
    from moto.stepfunctions.parser.asl.component.common.string import string_expression
    from moto.stepfunctions.parser.asl.component.state.choice.comparison import comparison_variable

    evaluate = comparison_variable.ComparisonVariable._eval_body

    def on_something(self: Any, env: Any) -> None:
        path = self.variable.string_sampler
        of_input = not isinstance(path, string_expression.StringContextPath) and path.literal_value != "$"
        if of_input and env.stack[-1] is None:
            raise _invalid(env, self.variable)
        evaluate(self, env)

    patches.replace(comparison_variable.ComparisonVariable, "_eval_body", on_something)


def _invalid(env: Any, variable: Any) -> Exception:
    """The end of an execution whose Choice cannot read what it asks about."""
    from moto.stepfunctions.parser.api import HistoryEventType
    from moto.stepfunctions.parser.asl.component.common.error_name import failure_event, states_error_name
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType

    path = variable.string_sampler.literal_value
    text = f"Invalid path '{path}': The choice state's condition path references an invalid value."
    details = {"executionFailedEventDetails": {"error": "States.Runtime", "cause": text}}
    name = states_error_name.StatesErrorName(typ=StatesErrorNameType.StatesRuntime)
    kind = HistoryEventType.ExecutionFailed
    event = failure_event.FailureEvent(env=env, error_name=name, event_type=kind, event_details=details)
    made: Exception = failure_event.FailureEventException(failure_event=event)
    return made


def times_are_json(patches: Patches, _: Settings) -> None:
    """AWS: $$.Execution.StartTime and $$.State.EnteredTime are strings such as 2026-01-31T12:00:00.000Z.
    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html

    moto: the start time is an object of Python's, and a payload with it fails; the other has microseconds
    and +00:00.
    """
    from moto.stepfunctions.parser.asl.component.state import state
    from moto.stepfunctions.parser.backend.execution import Execution

    details = Execution.get_start_execution_details

    def start_details(self: Any) -> Any:
        found = details(self)
        found.start_time = _stamp(self.start_date)
        return found

    class Now:
        @staticmethod
        def isoformat() -> str:
            return _stamp(dt.datetime.now(dt.UTC))

    class Clock:  # stands in for the module `datetime`, of which moto uses one call there
        timezone = dt.timezone

        class datetime:  # noqa: N801 - the name is the standard library's
            @staticmethod
            def now(tz: object = None) -> Now:
                return Now()

    patches.replace(Execution, "get_start_execution_details", start_details)
    patches.replace(state, "datetime", Clock)


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
