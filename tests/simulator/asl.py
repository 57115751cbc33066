"""An interpreter of the Amazon States Language, as much of it as statemachine/deploy.asl.json uses: Task (with retries,
catchers and task tokens), Choice, Wait, Parallel with one branch, Succeed and Fail, with JSONPath.

An execution is a generator: it yields what has to happen outside (a `Call` or a `Sleep`) and is sent the result, or is
thrown a `StateError`. So it needs neither a clock nor threads. `test_asl.py` holds it to the embedded engine.
https://states-language.net/spec.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
TOKEN = "arn:aws:states:::lambda:invoke.waitForTaskToken"
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


@dataclass(frozen=True)
class Call:
    """Call a function. With a `token`, the task ends when the token is answered; without an answer within `seconds` it
    ends with States.Timeout."""

    function: str
    payload: Any
    token: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Sleep:
    """Go on after so many seconds."""

    seconds: float


Effect = Call | Sleep
Steps = Generator[Effect, Any, Any]


class StateError(Exception):
    """A state failed with this error name."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}"[:300])
        self.error, self.cause = error, cause


@dataclass(frozen=True)
class Run:
    """What one execution needs: its context object, the tokens of its tasks, and who wants to know of its states."""

    context: Json
    token: Callable[[], str]
    entered: Callable[[str], object]


def execute(machine: Json, value: Any, run: Run) -> Steps:
    """The output of a state machine (or branch). Raises StateError where it fails."""
    name: str | None = machine["StartAt"]
    while name:
        run.entered(name)
        state = machine["States"][name]
        value, name = yield from _KINDS[state["Type"]](state, value, run)
    return value


Next = tuple[Any, str | None]


def _task(state: Json, value: Any, run: Run) -> Generator[Effect, Any, Next]:
    return (yield from _attempts(state, value, run, _once))


def _parallel(state: Json, value: Any, run: Run) -> Generator[Effect, Any, Next]:
    return (yield from _attempts(state, value, run, _branches))


def _attempts(
    state: Json, value: Any, run: Run, work: Callable[[Json, Any, Run], Steps]
) -> Generator[Effect, Any, Next]:
    """`work` with the state's retriers and catchers around it."""
    tries = [0] * len(state.get("Retry", []))
    while True:
        try:
            result = yield from work(state, value, run)
        except StateError as error:
            pause = _pause(state.get("Retry", []), tries, error.error)
            if pause is not None:
                yield Sleep(pause)
                continue
            for catcher in state.get("Catch", []):
                if _matches(catcher["ErrorEquals"], error.error):
                    caught = {"Error": error.error, "Cause": error.cause}
                    return _put(value, catcher.get("ResultPath", "$"), caught), catcher["Next"]
            raise
        if "ResultSelector" in state:
            result = _template(state["ResultSelector"], result, run.context)
        result = _put(value, state.get("ResultPath", "$"), result)
        return read(result, state.get("OutputPath", "$"), run.context), state["Next"]


def _once(state: Json, value: Any, run: Run) -> Steps:
    if state["Resource"] != TOKEN:
        result = yield Call(_function(state["Resource"]), _template(state["Parameters"], value, run.context))
        return result
    token = run.token()
    context = {**run.context, "Task": {"Token": token}}
    parameters = _template(state["Parameters"], value, context)
    seconds = read(value, state["TimeoutSecondsPath"], context)
    return (yield Call(_function(parameters["FunctionName"]), parameters["Payload"], token, seconds))


def _branches(state: Json, value: Any, run: Run) -> Steps:
    [branch] = state["Branches"]
    return [(yield from execute(branch, value, run))]


def _choice(state: Json, value: Any, run: Run) -> Generator[Effect, Any, Next]:
    found = next((rule["Next"] for rule in state["Choices"] if _holds(rule, value, run.context)), state.get("Default"))
    if found is None:
        raise StateError("States.NoChoiceMatched")
    return value, found
    yield  # a generator like the others


def _wait(state: Json, value: Any, run: Run) -> Generator[Effect, Any, Next]:
    yield Sleep(read(value, state["SecondsPath"], run.context))
    return value, state["Next"]


def _succeed(_: Json, value: Any, __: Run) -> Generator[Effect, Any, Next]:
    return value, None
    yield  # a generator like the others


def _fail(state: Json, _: Any, __: Run) -> Generator[Effect, Any, Next]:
    raise StateError(state["Error"], state["Cause"])
    yield  # a generator like the others


_KINDS: Mapping[str, Callable[[Json, Any, Run], Generator[Effect, Any, Next]]] = {
    "Task": _task,
    "Parallel": _parallel,
    "Choice": _choice,
    "Wait": _wait,
    "Succeed": _succeed,
    "Fail": _fail,
}


def _function(place: str) -> str:
    """`${PlanFunctionArn}` is the function `plan`."""
    return place.removeprefix("${").removesuffix("FunctionArn}").lower()


def _matches(names: Sequence[str], error: str) -> bool:
    known = {error, "States.ALL"} | ({"States.TaskFailed"} if error != "States.Timeout" else set())
    return not known.isdisjoint(names)


def _pause(retriers: Sequence[Json], tries: list[int], error: str) -> float | None:
    """The seconds before the next attempt by the first retrier that matches; None where it allows no more."""
    for at, one in enumerate(retriers):
        if _matches(one["ErrorEquals"], error):
            if tries[at] >= one.get("MaxAttempts", 3):
                return None
            pause = one.get("IntervalSeconds", 1) * one.get("BackoffRate", 2.0) ** tries[at]
            tries[at] += 1
            return float(min(pause, one.get("MaxDelaySeconds", pause)))
    return None


def read(value: Any, path: str, context: Json) -> Any:
    """What stands at a JSONPath. Raises StateError (States.ParameterPathFailure) where there is nothing."""
    found, rest = (context, path[2:]) if path.startswith("$$") else (value, path[1:])
    try:
        for name, at in _steps(rest):
            found = found[int(at)] if at else found[name]
    except (KeyError, IndexError, TypeError):
        raise StateError("States.ParameterPathFailure", f"nothing at {path}") from None
    return found


_PATHS: dict[str, list[tuple[str, str]]] = {}


def _steps(rest: str) -> list[tuple[str, str]]:
    if rest not in _PATHS:
        found = _STEP.findall(rest)
        assert "".join(f".{name}" if name else f"[{at}]" for name, at in found) == rest, f"no such path: {rest}"
        _PATHS[rest] = found
    return _PATHS[rest]


def _put(value: Any, path: str | None, result: Any) -> Any:
    """The input with the result at the path; the input itself is not changed."""
    if path is None:
        return value
    names = [name for name, _ in _steps(path[1:])]
    return _set(value, names, result)


def _set(value: Any, names: Sequence[str], result: Any) -> Any:
    if not names:
        return result
    inside = value if isinstance(value, dict) else {}
    return {**inside, names[0]: _set(inside.get(names[0]), names[1:], result)}


def _template(form: Any, value: Any, context: Json) -> Any:
    """A payload template: keys that end in `.$` are paths."""
    if not isinstance(form, dict):
        return form
    return {
        key.removesuffix(".$"): read(value, inside, context)
        if key.endswith(".$")
        else _template(inside, value, context)
        for key, inside in form.items()
    }


def _holds(rule: Json, value: Any, context: Json) -> bool:
    if "And" in rule:
        return all(_holds(one, value, context) for one in rule["And"])
    if "Or" in rule:
        return any(_holds(one, value, context) for one in rule["Or"])
    if "IsPresent" in rule:
        try:
            read(value, rule["Variable"], context)
        except StateError:
            return not rule["IsPresent"]
        return bool(rule["IsPresent"])
    try:
        found = read(value, rule["Variable"], context)
    except StateError as error:
        raise StateError("States.Runtime", error.cause) from None
    if "StringEquals" in rule:
        return isinstance(found, str) and found == rule["StringEquals"]
    return isinstance(found, bool) and found == rule["BooleanEquals"]
