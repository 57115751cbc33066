"""What must hold of every play when it is over, whatever went wrong: nothing lost, nothing twice, nothing held."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.simulator.play import HoursDriver
from tests.simulator.points import FAULTS
from tests.simulator.releases import rows
from tests.statemachine.conftest import CANARIES

PEOPLES = {"Deployed", "Restored", "Rejected", "Expired", "Cancelled"}
"""Ends that are successes of the workflow."""
FAILURES = {"Build Failed", "Rolled Back", "Deploy Failed", "Rollback Failed"}
SIGNALS = ("AlreadyAwake", "DecisionRecorded", "CancelRecorded", "TargetBusy")
"""Errors by which a step leads the machine on."""
OVERTAKEN = ("AlreadySettled",)
"""What a step raises whose deployment people have ended meanwhile, or whose target another has taken."""
AWAY = ("GitHubUnavailable", "GitHubRateLimited", "SlackUnavailable", "ServiceUnavailable")
"""What a step raises where a service does not do what it is asked to; it is tried again, as after a death."""
OVER = {"approve", "reject", "cancel", "promote", "pause_roll_back"}
"""What nobody can do any more once it has ended."""
SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "events.schema.json"
Row = dict[str, Any]


@dataclass(frozen=True)
class After:
    """A play that is over, and its table. `ends`: its executions in order, with the end and the text of each; where
    somebody has taken part who isn't part of the scenario, the end that the table has, and no text."""

    play: HoursDriver
    rows: dict[tuple[str, str], Row]
    ends: tuple[tuple[str, tuple[str, str]], ...]

    @property
    def faults(self) -> int:
        return len(self.play.seen.fired)

    def row(self, pk: str, sk: str) -> Row:
        return self.rows.get((pk, sk), {})

    def target(self, prefix: str) -> list[Row]:
        """The target's rows of this kind, in order."""
        mine = f"TARGET#{self.play.target}"
        return [row for (pk, sk), row in sorted(self.rows.items()) if pk == mine and sk.startswith(prefix)]


def check(play: HoursDriver) -> None:
    """The play's failures are noted with it."""
    found = rows(play.session.table)
    begun = [name for name in play.seen.ids if (f"DEPLOYMENT#{name}", "RECORD") in found]
    wanted = [play.scenario.first] if play.scenario.first else []
    ends = [*wanted, play.scenario.ends]
    if play.free:
        ends = [(_end(found, name), "") for name in begun]
    elif len(begun) != len(ends):
        play.failures.append(f"{len(begun)} deployments began, of {len(play.seen.ids)} executions")
    if play.failures:
        return
    after = After(play, found, tuple(zip(begun, ends, strict=True)))
    for one in FREE if play.free else CHECKS:
        play.failures += [f"{one.__name__.strip('_')}: {text}" for text in one(after)]


def _end(found: dict[tuple[str, str], Row], name: str) -> str:
    return str(json.loads(found[f"DEPLOYMENT#{name}", "RECORD"].get("outcome") or "{}").get("end"))


def _ended(after: After) -> Iterator[str]:
    """Each execution in the end that the scenario has."""
    for name, (wanted, _) in after.ends:
        end = _end(after.rows, name)
        if end != wanted or end not in {*PEOPLES, *FAILURES, "Stopped"}:
            outcome = after.row(f"DEPLOYMENT#{name}", "RECORD").get("outcome")
            yield f"the table says {end!r}, not {wanted!r}: {outcome}"
        found = after.play.session.states.executions[name]
        status = "ABORTED" if wanted == "Stopped" else "SUCCEEDED" if wanted in PEOPLES else "FAILED"
        if found.status != status:
            yield f"the execution is {found.status}, not {status}: {found.error}"
        elif status == "FAILED" and found.error != wanted.replace(" ", ""):
            yield f"the execution failed with {found.error}"
        elif status == "SUCCEEDED" and json.loads(found.output)["outcome"]["end"] != wanted:
            yield f"the execution ended with {found.output[-200:]}"


def _ends_well(after: After) -> Iterator[str]:
    """What people do in between never leads to an end that somebody has to look after."""
    own = {after.play.scenario.ends[0], *(after.play.scenario.first or ())}
    for _, (end, _) in after.ends:
        if end not in {*PEOPLES, "Rolled Back", *own}:
            yield f"ends {end!r}"


def _refused(after: After) -> Iterator[str]:
    """What a person has typed once more, because Slack said that it failed, is refused: the first one is at it."""
    names = [name for name, _ in after.ends]
    for name in after.play.seen.ids:
        if name not in names:
            found = after.play.session.states.executions[name]
            verdict = json.loads(found.output or "{}").get("plan", {}).get("verdict")
            if verdict != "refused":
                yield f"a further execution is {found.status}, {verdict}"


def _nothing_held(after: After) -> Iterator[str]:
    """No lock, nothing open, nothing owed."""
    held = [(f"TARGET#{after.play.target}", "LOCK")]
    held += [(kind, name) for kind in ("OPEN", "OUTBOX") for name in after.play.seen.ids]
    yield from (f"{key} is left" for key in held if key in after.rows)


def _stages_once(after: After) -> Iterator[str]:
    """Each stage that there should be was asked for once, and ran once."""
    play, asked, ran = after.play, *_runs(after.play)
    unbegun = set(play.scenario.unbegun)
    if asked - Counter(play.scenario.stages) or set(Counter(play.scenario.stages) - asked) - unbegun:
        yield f"dispatched {dict(asked)}"
    if play.scenario.claim and (missing := asked - ran) and set(missing) - unbegun:
        yield f"ran {dict(ran)}"


def _runs(play: HoursDriver) -> tuple[Counter[str], Counter[str]]:
    """How often each stage was asked for, and how often it ran."""
    runs = play.session.github.runs
    return Counter(run.stage for run in runs), Counter(run.stage for run in runs if run.claim_status == 200)


def _no_stage_twice(after: After) -> Iterator[str]:
    """No stage of a deployment is asked for or runs twice, and none goes on."""
    runs = after.play.session.github.runs
    asked = Counter((run.payload["deployment_id"], run.stage) for run in runs)
    ran = Counter((run.payload["deployment_id"], run.stage) for run in runs if run.claim_status == 200)
    yield from (f"{name} {stage}: {number} times" for (name, stage), number in (asked | ran).items() if number > 1)
    if going := [run.stage for run in runs if run.status != "completed"]:
        yield f"still running: {going}"


def _service_once(after: After) -> Iterator[str]:
    """The service was changed as often as it should."""
    begun = after.play.rollouts() - after.play.begun_before
    if begun != after.play.scenario.rollouts:
        yield f"{begun} rollouts"
    codedeploy = after.play.session.codedeploy
    if after.play.scenario.kind == "codedeploy" and codedeploy.running(after.play.target, "live") != "first":
        yield "not what ran before runs again"


def _service_known(after: After) -> Iterator[str]:
    """The service runs what the table says is live."""
    play = after.play
    known = after.target("RELEASE#")
    if play.scenario.kind != "ecs" or not known or any(end == "Stopped" for _, (end, _) in after.ends):
        return
    running = str(play.session.ecs.describe(play.target)["taskDefinition"])
    if running != known[-1]["task_definition"]:
        yield f"runs {running}, and the table says {known[-1]['task_definition']}"


def _releases(after: After) -> Iterator[str]:
    """The table has learned what it should, once."""
    scenario = after.play.scenario
    versions = tuple(str(row["version"]) for row in reversed(after.target("RELEASE#")))
    if versions != scenario.ledger:
        yield f"releases {versions}"
    bad = tuple(str(row["version"]) for row in after.target("LEFT#"))
    if bad != scenario.bad:
        yield f"rolled back from {bad}"


def _history(after: After) -> Iterator[str]:
    """Each deployment is counted once, and its outcome is known."""
    if (n := sum(int(row["n"]) for row in after.target("LEDGER"))) != len(after.play.scenario.before) + len(after.ends):
        yield f"{n} ends"
    if [row for row in after.target("DEPLOY#") if not row.get("outcome")]:
        yield "its history has no outcome"


def _told(after: After) -> Iterator[str]:
    """The requester is told how each ended; a fault may repeat a message, never lose one. The message that the bot
    knows shows the end and offers nothing that is over."""
    posted = after.play.posted()
    for name, (_, says) in after.ends:
        cards = [m for m in posted if not m.thread_ts and name in str(m.blocks[-1:])]
        if not 1 <= len(cards) <= 1 + after.faults:
            yield f"{len(cards)} messages of the deployment"
        known = str(after.row(f"DEPLOYMENT#{name}", "MESSAGE").get("ts"))
        shown = next((m for m in cards if m.ts == known), None)
        if shown is None or says not in shown.text:
            yield f"the message shows {shown.text if shown else None!r}"
        elif offered := {button.action_id for button in shown.buttons} & OVER:
            yield f"the message offers {offered}"
        finals = [m for m in posted if m.thread_ts == known and " · <@U" in m.text and says in m.text]
        least, most = 1, 1 + after.faults
        if after.play.free:
            most += len(posted)  # what else was said to people in its thread
        if not least <= len(finals) <= most:
            yield f"{len(finals)} final messages: {[m.text for m in posted if m.thread_ts]}"


@cache
def _schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


def _events(after: After) -> Iterator[str]:
    """EventBridge was sent each beginning, decision and end, as docs/events.schema.json has them: one that was sent
    twice says the same twice, and only a fault makes it so."""
    sent: dict[str, str] = {}
    for entry in after.play.session.events.taken:
        said = json.loads(entry["Detail"])
        yield from (f"{said['id']}: {error.message}" for error in _schema().iter_errors(said))
        if sent.setdefault(said["id"], entry["Detail"]) != entry["Detail"]:
            yield f"{said['id']} says two things"
        if entry["DetailType"].rpartition(" ")[2].lower() != said["id"].split("/")[1]:
            yield f"{said['id']} is called {entry['DetailType']}"
    wanted = set()
    for name, _ in after.ends:
        wanted |= {f"{name}/started", f"{name}/ended"}
        for (pk, sk), row in after.rows.items():
            if pk == f"DEPLOYMENT#{name}" and row.get("decision") and sk.startswith(("APPROVAL", "PAUSE#")):
                wanted.add("/".join(filter(None, (name, "decided", sk.partition("#")[2]))))
    if wanted != set(sent):
        yield f"not sent: {sorted(wanted - set(sent))}, and not true: {sorted(set(sent) - wanted)}"
    if len(after.play.session.events.taken) > len(sent) * (1 + after.faults):  # of one request all are sent again
        yield "events were sent twice without a fault"
    yield from (f"{key} is left" for key in after.rows if key[0] == "NEWS")


def _quiet(after: After) -> Iterator[str]:
    """No step failed of itself."""
    expected = SIGNALS + AWAY + (OVERTAKEN if after.play.free else ())
    loud = [text for text in after.play.seen.errors if text.split(": ")[1] not in expected]
    if loud:
        yield f"{loud}"
    if not after.play.plan.has(*FAULTS) and any(text.split(": ")[1] in AWAY for text in after.play.seen.errors):
        yield f"nothing was away: {after.play.seen.errors}"


def _no_secret_anywhere(after: After) -> Iterator[str]:
    """No canary, ticket or token in a log, a message or an event; no canary in what travels between states."""
    session = after.play.session
    text = (
        session.log.getvalue()
        + str(session.events.taken)
        + "".join(f"{message.text} {message.blocks}" for message in session.slack.messages)
    )
    rows = after.rows.values()
    secrets = [str(row[name]) for row in rows for name in ("ticket", "token") if name in row]
    if not secrets and any(sk.startswith("STAGE#") for _, sk in after.rows):
        yield "a stage has no ticket"
    if found := [secret for secret in (*secrets, *CANARIES.values()) if secret in text]:
        yield f"told to people: {found}"
    travelled = "".join(one.output + one.text for one in session.states.executions.values())
    travelled += "".join(str(outcome) for one in session.states.executions.values() for outcome in one.outcomes)
    if found := [canary for canary in CANARIES.values() if canary in travelled]:
        yield f"in the state: {found}"


def _read_by_slack(after: After) -> Iterator[str]:
    """Slack reads every request as it was meant."""
    yield from after.play.session.slack.misread


COMMON = (_refused, _nothing_held, _no_stage_twice, _service_known, _history, _told, _quiet, _no_secret_anywhere)
CHECKS = (_ended, _stages_once, _service_once, _releases, *COMMON, _events, _read_by_slack)
FREE = (_ended, _ends_well, *COMMON, _events, _read_by_slack)
