"""What must hold of every play when it is over, whatever was killed: nothing lost, nothing twice, nothing held."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.slack.directory import U_BOT, U_DEV
from local.slack.store import Message
from tests.faults.kills import ledger
from tests.faults.kills.play import Play
from tests.faults.kills.stage import Stage
from tests.statemachine import checks

PEOPLES = {"Deployed", "Restored", "Rejected", "Expired", "Cancelled"}
"""Ends that are successes of the workflow."""
SIGNALS = ("AlreadyAwake", "DecisionRecorded", "CancelRecorded", "TargetBusy")
"""Errors by which a step leads the machine on."""
Row = dict[str, Any]


@dataclass(frozen=True)
class After:
    """A play that is over, and the table."""

    play: Play
    rows: dict[tuple[str, str], Row]

    @property
    def name(self) -> str:
        """The one execution that there should be."""
        return self.play.seen.ids[0]

    @property
    def kills(self) -> int:
        return len(self.play.seen.fired)

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
        if play.failures or not play.seen.ids:
            play.failures.append(f"executions: {play.seen.ids}")
            continue
        after = After(play, rows)
        for one in CHECKS:
            play.failures += [f"{one.__name__}: {text}" for text in one(after)]
    checks.no_secret_anywhere(stage.world)


def _ended(after: After) -> Iterator[str]:
    """One execution, in the end that the scenario has."""
    play, wanted = after.play, after.play.scenario.end
    if len(play.seen.ids) != 1:
        yield f"{len(play.seen.ids)} executions"
    outcome = json.loads(after.row(f"DEPLOYMENT#{after.name}", "RECORD").get("outcome") or "{}")
    if outcome.get("end") != wanted:
        yield f"the ledger says {outcome.get('end')!r}, not {wanted!r}: {outcome.get('why')}"
    found = play.stage.world.describe(play.arn(after.name))
    status = "ABORTED" if wanted == "Stopped" else "SUCCEEDED" if wanted in PEOPLES else "FAILED"
    if found["status"] != status:
        yield f"the execution is {found['status']}, not {status}: {found.get('error')}"
    elif status == "FAILED" and found.get("error") != wanted.replace(" ", ""):
        yield f"the execution failed with {found.get('error')}"
    elif status == "SUCCEEDED" and json.loads(found["output"])["outcome"]["end"] != wanted:
        yield f"the execution ended with {found['output'][-200:]}"


def _nothing_held(after: After) -> Iterator[str]:
    """No lock, nothing open, nothing owed."""
    for key in ((f"TARGET#{after.play.target}", "LOCK"), ("OPEN", after.name), ("OUTBOX", after.name)):
        if key in after.rows:
            yield f"{key} is left"


def _stages_once(after: After) -> Iterator[str]:
    """Each stage that there should be was asked for once, and ran once."""
    play = after.play
    runs = [run for run in play.stage.world.github.runs if run.repository == play.repository]
    asked = Counter(run.stage for run in runs)
    if asked != Counter(play.scenario.stages):
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
    play = after.play
    if not play.scenario.ecs:
        return
    begun = play.rollouts() - play.begun_before
    if begun != play.scenario.rollouts:
        yield f"{begun} rollouts"
    if play.scenario.end == "Stopped" or not (known := after.target("RELEASE#")):
        return
    running = str(play.stage.world.ecs.describe(play.target)["taskDefinition"])
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
    if (n := int(after.target("LEDGER")[0]["n"])) != len(scenario.before) + 1:
        yield f"{n} ends"
    history = [row for row in after.target("DEPLOY#") if not row.get("outcome")]
    if history:
        yield "its history has no outcome"


def _told(after: After) -> Iterator[str]:
    """The requester is told how it ended; a crash may repeat a message, never lose one. The message that the bot knows
    shows the end and offers nothing that is over."""
    play, says = after.play, after.play.scenario.says
    posted = [m for m in play.stage.watch.messages(play.target) if m.user == U_BOT and not m.ephemeral_to]
    finals = [m for m in posted if m.thread_ts and m.text.startswith(f"<@{U_DEV}>") and says in m.text]
    if not 1 <= len(finals) <= 1 + after.kills:
        yield f"{len(finals)} final messages: {[m.text for m in posted if m.thread_ts]}"
    living = [m for m in posted if not m.thread_ts and after.name in str(m.blocks[-1:])]
    if not 1 <= len(living) <= 1 + after.kills:
        yield f"{len(living)} living messages"
    known = str(after.row(f"DEPLOYMENT#{after.name}", "MESSAGE").get("ts"))
    shown = next((m for m in living if m.ts == known), None)
    if shown is None or says not in shown.text:
        yield f"the message shows {shown.text if shown else None!r}"
    elif offered := {b.action_id for b in shown.buttons} - {"roll_back"} & {"approve", "reject", "cancel"}:
        yield f"the message offers {offered}"
    yield from _orphans(living, known, after.kills)


def _orphans(living: list[Message], known: str, kills: int) -> Iterator[str]:
    """A second message where the process died between Slack's taking it and the table's remembering where it is."""
    others = [m for m in living if m.ts != known]
    if len(others) > kills:
        yield f"{len(others)} messages that nobody brings up to date"


def _quiet(after: After) -> Iterator[str]:
    """No step failed of itself."""
    loud = [text for text in after.play.seen.errors if not text.endswith(SIGNALS)]
    if loud:
        yield f"{loud}"


CHECKS = (_ended, _nothing_held, _stages_once, _service_once, _ledger, _told, _quiet)
