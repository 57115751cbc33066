"""`make demo`: one scenario from a signed slash command to its end, told line by line."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chatops.domain.target import Target
from fakes.slack.directory import S_APPROVERS
from fakes.slack.store import Change
from local import checked, scenarios, settings, targets_text
from local.scenario import NoTarget, Scenario
from local.session import Session, session, states_entered
from local.words import Names, words

SPEED, WAIT_TIME_SCALE, SWEEP_SECONDS = 10.0, 0.1, 2.0


class Teller(threading.Thread):
    """Prints what people do, every message as it is written, and every state when it is entered for the first time."""

    def __init__(self, told: Session) -> None:
        super().__init__(name="teller", daemon=True)
        self._session, self._since = told, time.monotonic()
        self._closed, self._lock = threading.Event(), threading.Lock()
        self._seen: dict[str, int] = {}
        self._told: dict[str, set[str]] = {}
        self._current = ""
        told.slack.on_change.append(self._message)

    def say(self, text: str) -> None:
        with self._lock:
            print(f"{time.monotonic() - self._since:6.2f}s  {text}", flush=True)

    def acts(self, who: str, what: str) -> None:
        """Somebody does something. A command is what they say."""
        name = self._called(who) if who else "an operator"
        self.say(f"{name}{':' if what.startswith('/') else ''} {what}")

    def _called(self, user: str) -> str:
        found = self._session.slack.space.users.get(user)
        return found.name if found else user

    def _names(self) -> Names:
        space = self._session.slack.space
        return Names(
            now=datetime.now().astimezone(),
            users={user.id: user.name for user in space.users.values()},
            channels={channel.id: channel.name for channel in space.channels.values()},
            groups={S_APPROVERS: "platform"},
        )

    def _message(self, change: Change) -> None:
        if change.view is not None and change.kind == "view_opened":
            self.say(f"  ✉ to {self._called(change.view.user)}: a form, “{change.view.title}”")
        if change.message is None or change.kind == "deleted":
            return
        message = change.message
        where = "in the thread" if message.thread_ts else "in the channel"
        whom = f"to {self._called(message.ephemeral_to)} only" if message.ephemeral_to else where
        verb = "now" if change.kind == "edited" else whom
        self.say(f"  ✉ {verb}: {words(message.text, self._names())}")

    def look(self) -> None:
        for execution in reversed(self._session.executions()):
            arn = execution["executionArn"]
            entered = indented(self._session.history(arn))
            for name in entered[self._seen.get(arn, 0) :]:
                self._entered(arn, name)
            self._seen[arn] = len(entered)

    def _entered(self, arn: str, name: str) -> None:
        told = self._told.setdefault(arn, set())
        if name in told:  # once more around a loop
            return
        told.add(name)
        if arn != self._current:
            self._current = arn
            self.say(f"    ▸ execution {arn.rpartition(':')[2]}")
        self.say(f"      {name}")

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
        teller = Teller(made)
        driver = scenario.driver(made, tell=teller.acts)
        teller.start()
        began = time.monotonic()
        try:
            scenario.play(driver)
        finally:
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
