"""What has happened to a deployment, in people's words: asked, reserved, built, waiting, decided, live. Pure.

Each line's text is Slack's mrkdwn, as the channel's messages are, so that people, links and versions look alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatops.domain.results import StageResult
from chatops.messages import outcome
from chatops.messages.catalogue import end_text, escape, link, mention, plain_reason
from chatops.messages.who import asked_of, people, voters
from local.page.story import Facts, Span, quoted, title

ENDED: tuple[str, ...] = ("Deployed", "Restored", "Rejected", "Expired", "Cancelled", "Refused", "Reported")
ENDED += ("Build Failed", "Rolled Back", "Deploy Failed", "Rollback Failed")
"""The states in which an execution ends."""


@dataclass(frozen=True)
class Line:
    """`at`: epoch seconds. `seconds`: how long it took, None for what takes no time or goes on. `state`: of the graph.
    `now`: it goes on."""

    at: float
    sign: str
    text: str
    state: str = ""
    seconds: float | None = None
    now: bool = False


def timeline(known: Facts, found: Mapping[str, Span], started: float, status: str) -> list[Line]:
    """The lines, oldest first. `found`: the stays in states; `started`: epoch seconds; `status`: the execution's."""
    lines = [_asked(known, started)]
    for name, span in found.items():
        going = span.left is None and status == "RUNNING"
        if name in _LINES:
            lines += _LINES[name](known, span, going)
    if end := next((name for name in found if name in ENDED), ""):
        if not known.view.plan.refusal:  # else its line says so
            lines.append(_end(known, end, found[end]))
    elif status not in ("RUNNING", "PENDING_REDRIVE"):
        last = max((span.left or span.entered for span in found.values()), default=started)
        lines.append(Line(last, "⏹️", "The execution was ended from outside."))
    return sorted(lines, key=lambda line: line.at)


def _asked(known: Facts, at: float) -> Line:
    asked, plan = known.asked, known.view.plan
    command = asked.command or plan.command
    target = f" *{escape(name)}*" if (name := plan.target or asked.target) else ""
    version = f" `{escape(name)}`" if (name := asked.version or plan.version) else ""
    said = {
        "rollback": f"asked to roll{target} back" + (f" to{version}" if asked.version else ""),
        "status": "asked what runs" + (f" in{target}" if target else ""),
        "history": "asked for the history" + (f" of{target}" if target else ""),
    }.get(command, f"asked to deploy{version}" + (f" to{target}" if target else ""))
    return Line(at, "⌨️", f"{mention(plan.requester.id or asked.requester)} {said}{quoted(plan.reason)}")


def _plan(known: Facts, span: Span, going: bool) -> list[Line]:
    plan = known.view.plan
    if going:
        return [Line(span.entered, "⏳", "Checking the request", "Plan", now=True)]
    at = span.left or span.entered
    if plan.verdict == "go":
        commit = f"; `{escape(plan.version)}` is commit {link(plan.url, plan.sha[:7])}" if plan.sha else ""
        return [Line(at, "🔒", f"*{escape(plan.target)}* reserved{commit}", "Plan", span.seconds)]
    if plan.refusal:
        return [Line(at, "⏹️", f"Not possible: {escape(plain_reason(plan.refusal))}", "Plan", span.seconds)]
    return []


def _build(known: Facts, span: Span, going: bool) -> list[Line]:
    stage = known.view.deployment.build
    if going:
        return [Line(span.entered, "🔨", f"Building{_run(stage)}{_at(stage)}", "Build", now=True)]
    image = (stage.outputs and stage.outputs.image) or ""
    digest = image.rpartition("@")[2][:19] if "@" in image else ""
    passed = f"Build{_run(stage)} passed" + (f", image `{escape(digest)}`" if digest else "")
    return [_stage(stage, span, passed, "Build")]


def _deploy(known: Facts, span: Span, going: bool) -> list[Line]:
    stage = known.view.deployment.deploy
    if going:
        return [Line(span.entered, "🚀", f"Deploying{_run(stage)}{_at(stage)}", "Deploy", now=True)]
    return [_stage(stage, span, f"Deploy job{_run(stage)} finished", "Deploy")]


def _stage(stage: StageResult, span: Span, passed: str, name: str) -> Line:
    at = span.left or span.entered
    if stage.state == "succeeded":
        return Line(at, "✅", passed, name, span.seconds)
    if not stage.done:
        return Line(at, "⚠️", f"{name}{_run(stage)} was left by an error", name, span.seconds)
    word = "did not finish" if stage.state in ("undispatched", "refused", "never_appeared") else "failed"
    return Line(at, "❌", f"{name}{_run(stage)} {word}{_at(stage)}", name, span.seconds)


def _approval(known: Facts, span: Span, going: bool) -> list[Line]:
    of = known.view.deployment.approval
    if not of:
        return []
    asked = f"Waiting for {asked_of(known.view)}" if going else "Asked for an approval"
    lines = [Line(span.entered, "⏳", asked, "Approval", now=going)]
    if going:
        return lines
    by = mention(of.by) if of.by else "Somebody"
    sign, said = {
        "approved": ("👍", f"{people(voters(of))} approved"),
        "rejected": ("⛔", f"{by} rejected it{quoted(of.reason)}"),
        "expired": ("⌛", "Nobody decided in time"),
        "cancelled": ("⏹️", f"{by} cancelled it"),
    }.get(of.decision, ("⚠️", "The question was left by an error"))
    return [*lines, Line(span.left or span.entered, sign, said, "Approval", span.seconds)]


def _rollout(known: Facts, span: Span, going: bool) -> list[Line]:
    of = known.view.deployment.rollout
    # those of the version before are counted, too: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
    tasks = f": {of.running} of {of.desired} tasks running, {of.pending} pending" if of.desired else ""
    if going:
        if of.state == "paused":
            return [Line(span.entered, "⏸️", "Paused: waiting for a promotion", "Rollout", now=True)]
        return [Line(span.entered, "🔄", f"Rolling out{tasks}", "Rollout", now=True)]
    at = span.left or span.entered
    if of.state == "healthy":
        said = f"Rolled out and healthy: {of.running} tasks" if of.desired else "Rolled out and healthy"
        return [Line(at, "✅", said, "Rollout", span.seconds)]
    said = {"cancelled": "The rollout was cancelled", "expired": "Nobody promoted it in time"}.get(
        of.state, "The rollout never became healthy"
    )
    return [Line(at, "❌", said, "Rollout", span.seconds)]


def _rollback(known: Facts, span: Span, going: bool) -> list[Line]:
    of, back = known.view.deployment, escape(known.view.back)
    if going:
        return [Line(span.entered, "⏪", f"Rolling back to `{back}`" if back else "Rolling back", "Rollback", now=True)]
    at = span.left or span.entered
    if of.restored.state == "healthy":
        return [Line(at, "⏪", f"`{back}` runs again", "Rollback", span.seconds)]
    if of.restore.left_alone:
        return [Line(at, "⏪", "Nothing had to be put back", "Rollback", span.seconds)]
    return [Line(at, "❌", "The rollback is not confirmed", "Rollback", span.seconds)]


def _end(known: Facts, name: str, span: Span) -> Line:
    view = known.view
    if name == "Reported":
        return Line(span.entered, "💬", "Answered", name)
    if not view.end:
        return Line(span.entered, outcome.sign(name), f"{end_text(name)}: {escape(title(known))}", name)
    why = outcome.why(view)
    said = f"*{escape(outcome.headline(view))}*" + (f": {why}" if why else "")
    return Line(span.entered, outcome.sign(view.end), said, name)


_LINES = {
    "Plan": _plan,
    "Build": _build,
    "Approval": _approval,
    "Deploy": _deploy,
    "Rollout": _rollout,
    "Rollback": _rollback,
}


def _run(stage: StageResult) -> str:
    return f" {link(stage.run_url or '', f'#{stage.run_number}')}" if stage.run_number else ""


def _at(stage: StageResult) -> str:
    """The job's step at which the run is, or at which it ended."""
    return f": {escape(stage.step)}" if stage.step else ""
