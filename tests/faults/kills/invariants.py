"""What must hold of every play when it is over, whatever was killed: nothing lost, nothing twice, nothing held."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from fakes.slack.directory import U_BOT
from local.world import World
from tests.faults.kills import ledger
from tests.faults.kills.play import Play
from tests.faults.kills.stage import Stage
from tests.statemachine.conftest import CANARIES

PEOPLES = {"Deployed", "Restored", "Rejected", "Expired", "Cancelled"}
"""Ends that are successes of the workflow."""
SIGNALS = ("AlreadyAwake", "DecisionRecorded", "CancelRecorded", "TargetBusy")
"""Errors by which a step leads the machine on."""
SLOW = ("Sandbox.Timedout", "GitHubUnavailable", "SlackUnavailable", "ServiceUnavailable")
"""What a step meets on a machine that is busy enough; it is tried again, as after a kill."""
OVER = {"approve", "reject", "cancel", "promote", "pause_roll_back"}
"""What nobody can do any more once it has ended."""
Row = dict[str, Any]


@dataclass(frozen=True)
class After:
    """A play that is over, and the table. `ends`: its executions in order, with the end and the words of each."""

    play: Play
    rows: dict[tuple[str, str], Row]
    ends: tuple[tuple[str, tuple[str, str]], ...]

    @property
    def kills(self) -> int:
        return sum(self.play.seen.deaths.values())

    def row(self, pk: str, sk: str) -> Row:
        return self.rows.get((pk, sk), {})

    def target(self, prefix: str) -> list[Row]:
        """The target's rows of this kind, in order."""
        mine = f"TARGET#{self.play.target}"
        return [row for (pk, sk), row in sorted(self.rows.items()) if pk == mine and sk.startswith(prefix)]


def check(stage: Stage) -> None:
    """Every play's failures are noted with it; what concerns all of them raises AssertionError."""
    rows = {(row["pk"], row["sk"]): row for row in ledger.rows(stage.world)}
    for play in stage.plays:
        begun = [name for name in play.seen.ids if (f"DEPLOYMENT#{name}", "RECORD") in rows]
        wanted = [play.scenario.first] if play.scenario.first else []
        ends = [*wanted, play.scenario.ends]
        if len(begun) != len(ends):
            play.failures.append(f"{len(begun)} deployments began, of {len(play.seen.ids)} executions")
        if play.failures:
            continue
        after = After(play, rows, tuple(zip(begun, ends, strict=True)))
        for one in CHECKS:
            play.failures += [f"{one.__name__}: {text}" for text in one(after)]
    _no_secret_anywhere(stage.world, rows)


def _no_secret_anywhere(world: World, rows: Mapping[tuple[str, str], Row]) -> None:
    """No canary, ticket or token in a log or a message; no canary in a history, which is looked at as it travels."""
    said = [path.read_text("utf-8") for path in world.runtime.log_dir.iterdir()]
    said += [f"{message.text} {message.blocks}" for message in world.slack.messages]
    secrets = [str(row[name]) for row in rows.values() for name in ("ticket", "token", "finish_token") if name in row]
    histories = [_history(world, execution["executionArn"]) for execution in world.executions()]
    assert secrets or not any(sk.startswith("STAGE#") for _, sk in rows), "a stage has its ticket"
    assert all("ExecutionStarted" in one for one in histories)
    for text in said:
        assert not [secret for secret in (*secrets, *CANARIES.values()) if secret in text]
    assert not [canary for canary in CANARIES.values() for one in histories if canary in one]


def _history(world: World, arn: str) -> str:
    """GetExecutionHistory's answer, unread."""
    body = json.dumps({"executionArn": arn, "maxResults": 1000}).encode()
    kind = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AWSStepFunctions.GetExecutionHistory"}
    with urlopen(Request(world.engine_url, body, kind), timeout=30) as answer:
        return str(answer.read().decode())


def _ended(after: After) -> Iterator[str]:
    """Each execution in the end that the scenario has."""
    for name, (wanted, _) in after.ends:
        outcome = json.loads(after.row(f"DEPLOYMENT#{name}", "RECORD").get("outcome") or "{}")
        if outcome.get("end") != wanted:
            yield f"the ledger says {outcome.get('end')!r}, not {wanted!r}: {outcome.get('why')}"
        found = after.play.stage.world.describe(after.play.arn(name))
        status = "ABORTED" if wanted == "Stopped" else "SUCCEEDED" if wanted in PEOPLES else "FAILED"
        if found["status"] != status:
            yield f"the execution is {found['status']}, not {status}: {found.get('error')}"
        elif status == "FAILED" and found.get("error") != wanted.replace(" ", ""):
            yield f"the execution failed with {found.get('error')}"
        elif status == "SUCCEEDED" and json.loads(found["output"])["outcome"]["end"] != wanted:
            yield f"the execution ended with {found['output'][-200:]}"


def _refused(after: After) -> Iterator[str]:
    """What a person has typed once more, because Slack said that it failed, is refused: the first one is at it."""
    names = [name for name, _ in after.ends]
    for name in after.play.seen.ids:
        if name not in names:
            found = after.play.stage.world.describe(after.play.arn(name))
            verdict = json.loads(found.get("output", "{}")).get("plan", {}).get("verdict")
            if not after.play.scenario.retyped or verdict != "refused":
                yield f"a further execution is {found['status']}, {verdict}"


def _nothing_held(after: After) -> Iterator[str]:
    """No lock, nothing open, nothing owed."""
    held = [(f"TARGET#{after.play.target}", "LOCK")]
    held += [(kind, name) for kind in ("OPEN", "OUTBOX") for name in after.play.seen.ids]
    yield from (f"{key} is left" for key in held if key in after.rows)


def _stages_once(after: After) -> Iterator[str]:
    """Each stage that there should be was asked for once, and ran once."""
    play = after.play
    runs = [run for run in play.stage.world.github.runs if run.repository == play.repository]
    asked = Counter(run.stage for run in runs)
    if asked - Counter(play.scenario.stages) or set(Counter(play.scenario.stages) - asked) - set(play.scenario.unbegun):
        yield f"dispatched {dict(asked)}"
    ran = Counter(run.stage for run in runs if run.claim_status == 200)
    if any(n > 1 for n in ran.values()) or (
        play.scenario.claim and (missing := asked - ran) and set(missing) - set(play.scenario.unbegun)
    ):
        yield f"ran {dict(ran)}"
    if going := [run.stage for run in runs if run.status != "completed"]:
        yield f"still running: {going}"


def _service_once(after: After) -> Iterator[str]:
    """The service was changed as often as it should, and runs what the ledger says is live."""
    play, world = after.play, after.play.stage.world
    begun = play.rollouts() - play.begun_before
    if begun != play.scenario.rollouts:
        yield f"{begun} rollouts"
    if play.scenario.kind == "codedeploy" and world.codedeploy.running(play.target, "live") != "first":
        yield "not what ran before runs again"
    if play.scenario.kind != "ecs" or play.scenario.ends[0] == "Stopped" or not (known := after.target("RELEASE#")):
        return
    running = str(world.ecs.describe(play.target)["taskDefinition"])
    if running != known[-1]["task_definition"]:
        yield f"runs {running}, and the ledger says {known[-1]['task_definition']}"


def _ledger(after: After) -> Iterator[str]:
    """The ledger has learned what it should, once."""
    scenario = after.play.scenario
    versions = tuple(str(row["version"]) for row in reversed(after.target("RELEASE#")))
    if versions != scenario.ledger:
        yield f"releases {versions}"
    bad = tuple(str(row["version"]) for row in after.target("BAD#"))
    if bad != scenario.bad:
        yield f"rolled back from {bad}"
    if (n := int(after.target("LEDGER")[0]["n"])) != len(scenario.before) + len(after.ends):
        yield f"{n} ends"
    history = [row for row in after.target("DEPLOY#") if not row.get("outcome")]
    if history:
        yield "its history has no outcome"


def _told(after: After) -> Iterator[str]:
    """The requester is told how each ended; a crash may repeat a message, never lose one. The message that the bot
    knows shows the end and offers nothing that is over."""
    posted = [m for m in after.play.stage.watch.messages(after.play.target) if m.user == U_BOT and not m.ephemeral_to]
    for name, (_, says) in after.ends:
        living = [m for m in posted if not m.thread_ts and name in str(m.blocks[-1:])]
        if not 1 <= len(living) <= 1 + after.kills:
            yield f"{len(living)} living messages"
        known = str(after.row(f"DEPLOYMENT#{name}", "MESSAGE").get("ts"))
        shown = next((m for m in living if m.ts == known), None)
        if shown is None or says not in shown.text:
            yield f"the message shows {shown.text if shown else None!r}"
        elif offered := {button.action_id for button in shown.buttons} & OVER:
            yield f"the message offers {offered}"
        finals = [m for m in posted if m.thread_ts == known and m.text.startswith("<@U") and says in m.text]
        if not 1 <= len(finals) <= 1 + after.kills:
            yield f"{len(finals)} final messages: {[m.text for m in posted if m.thread_ts]}"


def _quiet(after: After) -> Iterator[str]:
    """No step failed of itself."""
    loud = [text for text in after.play.seen.errors if not text.endswith(SIGNALS + SLOW)]
    if loud:
        yield f"{loud}"


CHECKS = (_ended, _refused, _nothing_held, _stages_once, _service_once, _ledger, _told, _quiet)
