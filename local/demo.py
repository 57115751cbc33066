"""`make demo`: one scenario from a signed slash command to its end, told line by line."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from chatops.domain.target import Target
from fakes.slack.store import Change
from local import checked, scenarios, settings, targets_text
from local.scenario import NoTarget, Scenario
from local.session import Session, session, states_entered

SPEED, WAIT_TIME_SCALE, SWEEP_SECONDS = 10.0, 0.1, 2.0


class Teller(threading.Thread):
    """Prints every state as it is entered and every message as it is written."""

    def __init__(self, told: Session) -> None:
        super().__init__(name="teller", daemon=True)
        self._session, self._since = told, time.monotonic()
        self._closed, self._lock = threading.Event(), threading.Lock()
        self._seen: dict[str, int] = {}
        told.slack.on_change.append(self._message)

    def say(self, sign: str, text: str) -> None:
        with self._lock:
            print(f"{time.monotonic() - self._since:6.2f}s  {sign}  {text}", flush=True)

    def _message(self, change: Change) -> None:
        if change.message is not None:
            whom = f" (only to {change.message.ephemeral_to})" if change.message.ephemeral_to else ""
            verb = {"edited": "edits"}.get(change.kind, "says")
            self.say("✉", f"Slack {verb}{whom}: {' '.join(change.message.text.split())}")

    def look(self) -> None:
        for execution in reversed(self._session.executions()):
            arn = execution["executionArn"]
            entered = indented(self._session.history(arn))
            for name in entered[self._seen.get(arn, 0) :]:
                self.say("▸", f"{arn.rpartition(':')[2]}  {name}")
            self._seen[arn] = len(entered)

    def run(self) -> None:
        while not self._closed.wait(0.05):
            self.look()

    def close(self) -> None:
        self._closed.set()
        self.join(5)
        self.look()


def indented(events: list[dict[str, Any]]) -> list[str]:
    """The names of the states in the order in which they were entered; those inside a phase stand further right."""
    names, depth = [], 0
    for event in events:
        if entered := event.get("stateEnteredEventDetails"):
            names.append(f"{'  ' * depth}{entered['name']}")
        depth += {"ParallelStateEntered": 1, "ParallelStateExited": -1}.get(event["type"], 0)
    return names


def report(played: Session, scenario: Scenario, arn: str, seconds: float) -> dict[str, Any]:
    """What `make demo` prints last."""
    found, events = played.describe(arn), played.history(arn)
    failed = events[-1].get("executionFailedEventDetails") or {}
    return {
        "scenario": scenario.name,
        "execution_status": found["status"],
        "end_state": states_entered(events)[-1],
        "error": found.get("error") or failed.get("error"),
        "seconds": round(seconds, 2),
        "transitions": len(states_entered(events)),
        "lambda_invocations": sum(played.runtime.invocations.values()),
        "github_calls": len(played.github.calls),
    }


def play(scenario: Scenario, given: Mapping[str, Target]) -> dict[str, Any]:
    """Play it with one of these targets, in a session of its own. Raises NoTarget."""
    with session(
        targets=targets_text.text(scenario.fitted(given)),
        speed=SPEED,
        wait_time_scale=WAIT_TIME_SCALE,
        sweep_seconds=SWEEP_SECONDS,
    ) as made:
        teller, driver = Teller(made), scenario.driver(made)
        teller.start()
        began = time.monotonic()
        scenario.play(driver)
        seconds = time.monotonic() - began
        teller.close()
        return report(made, scenario, driver.arn, seconds)


def main(arguments: list[str]) -> int:
    """Exit status 0 if the scenario ended as it should (or `list` was asked for), 1 if not, 2 if it could not begin."""
    logging.basicConfig(level=logging.ERROR)
    name = arguments[0] if arguments else "happy"
    if name not in scenarios.ALL:
        listed = "".join(f"  {known.name:30} {known.about}\n" for known in scenarios.ALL.values())
        if name == "list":
            print(listed, end="")
            return 0
        print(f"There is no scenario {name!r}. There are:\n{listed}", end="", file=sys.stderr)
        return 2
    scenario = scenarios.ALL[name]
    settings.ignore_aws_files()
    try:
        given = checked.checked().targets
        scenario.target(given)
    except (checked.Wrong, NoTarget) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{scenario.name}: {scenario.about}", flush=True)
    try:
        result = play(scenario, given)
    except (LookupError, TimeoutError) as error:  # a button that never came, a state that was never entered
        print(f"The scenario went another way, and was left: {error}", file=sys.stderr)
        return 1
    print(json.dumps(result))
    return 0 if result["end_state"] == scenario.ends else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
