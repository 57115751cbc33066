"""What a deployment's message and its page say, in mrkdwn: title, fields and lines. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from chatops.domain import image
from chatops.domain.plan import Plan
from chatops.domain.results import RolloutResult, StageResult
from chatops.domain.version_order import is_older
from chatops.messages import outcome as ending
from chatops.messages import paused, statuses
from chatops.messages.catalogue import Markup, date, duration, escape, link, plain, reason_text, say
from chatops.messages.parts import tidy
from chatops.messages.view import View
from chatops.messages.who import asked_of, people, voters
from chatops.platforms.registry import of_kind

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

_UNDECIDED = ("planned", "build", "approval", "decided")
"""Phases in which people still look at what is about to be deployed."""


def headline(view: View) -> str:
    """The header, plain text."""
    if view.phase == "ended":
        return ending.headline(view)
    key: TextKey
    version, rollback = view.version, view.command == "rollback"
    if view.phase == "approval":
        key = "title_approval_rollback" if rollback else "title_approval"
    elif view.phase == "paused":
        key = "title_paused"
    elif view.phase == "restoring" and view.plan.back and not view.deployment.restore.left_alone:
        key, version = "title_rollback", view.plan.back
    else:
        key = "title_rollback" if rollback else "title_deploy"
    service = view.plan.repository.rpartition("/")[2]
    return tidy(plain(key, version=version, target=view.target, service=service))


def sign(view: View) -> str:
    """What the header and notifications begin with, so that unread ones can be skimmed."""
    return ending.sign(view.end) if view.phase == "ended" else "⏳"


def summary(view: View) -> str:
    """One sentence for the `text`: what is going on."""
    if view.phase == "ended":
        return ending.sentence(view)
    said = lines(view)
    return said[-1].partition(" ")[2] if said else ""


def fields(view: View) -> list[str]:
    """What is asked for, what an approval decides about, and how far the rollout is."""
    plan = view.plan
    if not view.deployment.planned or view.end == "Refused":
        return []
    made = plan_fields(plan, changes=view.phase in ("planned", "build", "approval", "decided"))
    if view.phase == "approval":
        built = view.deployment.build.outputs
        if released := (built.image if built else "") or plan.image:  # what is approved, and nothing else is released
            made.append(say("field_image", image=image.short(released)))
        made.append(say("field_deadline", deadline=Markup(date(view.deployment.approval.deadline or ""))))
    shown = view.deployment.restored or view.deployment.rollout
    return made + rollout_fields(shown, plan.kind, ended=bool(view.end))


def plan_fields(plan: Plan, *, changes: bool = True) -> list[str]:
    """What is asked for: the version and the one before it, by whom, the commit, what changes, and why."""
    fields = [
        say("field_version", from_to=Markup(from_to(plan.before, plan.version))),
        say("field_requester", user=plan.requester.id),
    ]
    if plan.sha:
        commit = link(plan.url, plan.sha[:7]) if plan.url else f"`{escape(plan.sha[:7])}`"
        fields.append(say("field_commit", commit=Markup(f"{commit} {escape(plan.title)}".strip())))
    if changes and (changed := changes_text(plan)):
        fields.append(say("field_changes", changes=Markup(changed)))
    if plan.break_glass:
        fields.append(say("field_break_glass", by=plan.break_glass.by, reason=plan.break_glass.reason))
    elif plan.reason:
        fields.append(say("field_reason", reason=plan.reason))
    return fields


def rollout_fields(shown: RolloutResult, kind: str, *, ended: bool = False) -> list[str]:
    """How much of it runs, where the platform of this kind counts that; the service's status, and the strategy.
    `ended`: see `statuses.rollout`."""
    key = of_kind(kind).counts(shown.desired)
    counts = {"running": shown.running, "desired": shown.desired, "pending": shown.pending}
    counted, status = [say(key, counts)] if key else [], paused.status(shown, ended=ended)
    return [*counted, *([say("field_rollout", status=status)] if status else []), *paused.strategy(shown)]


def notes(plan: Plan) -> list[str]:
    """What people should know before they decide, each in a line."""
    made = [reason_text(plan.note)] if plan.note else []
    if plan.already_live:
        made.append(say("already_live", target=plan.target, version=plan.version))
    return [f"⚠️ {text}" for text in made]


def from_to(before: str, version: str) -> str:
    """From which version to which, as far as that is known."""
    return say("from_to", before=before, version=version) if before else say("history_version", version=version)


def changes_text(plan: Plan) -> str:
    """The compare link, how many commits, by whom, and their pull requests."""
    changes = plan.changes
    if changes is None:
        other = plan.command == "deploy" and plan.live and plan.live.sha not in ("", plan.sha)
        return say("changes_unknown") if other else ""
    repository, _, compared = changes.url.partition("/compare/")
    pulls = [link(f"{repository}/pull/{n}" if compared else "", f"#{n}") for n in changes.pulls]
    who = Markup(", ".join([*(escape(author, 100) for author in changes.authors if author), *pulls]))
    added, behind = _commits(changes.commits), _commits(changes.behind)
    both: TextKey = "changes_both" if changes.commits else "changes_behind"
    compare = Markup(link(changes.url, plain(both, added=added, behind=behind) if changes.behind else added))
    text = say("changes", link=compare, authors=who) if who else str(compare)
    return say("changes_older", changes=Markup(text)) if is_older(plan.version, plan.before) else text


def _commits(count: int) -> str:
    return plain("commits_one") if count == 1 else plain("commits_many", count=count)


def run_link(stage: StageResult) -> Markup:
    """` #4411`, linked; empty while there is no run."""
    return Markup(f" {link(stage.run_url or '', f'#{stage.run_number}')}" if stage.run_number else "")


StageLine = Literal["line_build", "line_deploy", "line_rollback_stage"]
_DONE: dict[StageLine, TextKey] = {
    "line_build": "line_build_ok",
    "line_deploy": "line_deploy_ok",
    "line_rollback_stage": "line_rollback_stage_ok",
}


def stage_line(stage: StageResult, key: StageLine) -> str:
    """The status of a stage's run, in a line; `key` is its text while it is under way."""
    if stage.state == "succeeded":
        return f"✅ {say(_DONE[key], run=run_link(stage), took=duration(stage.seconds or 0))}"
    if stage.done:
        return f"❌ {say(key, run=run_link(stage), what=statuses.result(stage.conclusion or stage.state))}"
    if stage.held_until:
        what = say("what_rate_limited", until=stage.held_until)
    elif stage.state == "running" and stage.job:
        what = say("what_running", job=stage.job, step=stage.step) if stage.step else escape(stage.job)
    elif stage.state == "in_review" and stage.reviewers:
        what = say("what_in_review", environment=stage.environment, people=stage.reviewers)
    elif stage.state == "in_review":
        what = say("what_under_rules", environment=stage.environment)
    else:
        known: dict[str, TextKey] = {
            "queued": "what_queued",
            "pending": "what_pending",
            "running": "what_running_bare",
            "finishing": "what_finishing",
        }
        what = say(known.get(stage.state, "what_waiting"))
    return f"🔄 {say(key, run=run_link(stage), what=Markup(what))}"


def lines(view: View) -> list[str]:
    """What its phases have come to, each in a line that begins with its sign."""
    of = view.deployment
    if not of.planned:
        return []
    made: list[str] = []
    if view.phase in _UNDECIDED:
        made += notes(of.plan)
    if view.phase == "planned" and view.command == "deploy":
        made.append(f"🔄 {say('line_planned', target=view.target)}")
    if of.build:
        made.append(stage_line(of.build, "line_build"))
        if of.build.outputs and of.build.outputs.tests == "none":
            made.append(f"⚠️ {say('line_no_tests')}")
    if of.approval.decision == "approved":
        who = people(voters(of.approval) or [of.approval.by or ""])
        approved: TextKey = "line_approved_reason" if of.approval.reason else "line_approved"
        took = duration(of.approval.seconds or 0)
        made.append(f"✅ {say(approved, people=who, took=took, reason=of.approval.reason)}")
    elif view.phase == "approval":
        want, have = of.approval.quorum or 1, len(voters(of.approval))
        key: TextKey = "line_approval_some" if want > 1 else "line_approval"
        made.append(f"⏳ {say(key, people=asked_of(view), want=want, have=have)}")
        if view.plan.approval and (outside := view.plan.approval.outside):
            made.append(f"⚠️ {say('line_outside', people=outside)}")
    if of.deploy:
        made.append(stage_line(of.deploy, "line_deploy"))
    made += _rolling_out(view)
    return made + (_restoring(view) if view.phase == "restoring" else [])


def _rolling_out(view: View) -> list[str]:
    of, made = view.deployment, paused.lines(view)
    if view.end == "Deployed" and of.rollout.desired == 0 and of_kind(of.plan.kind).counts(0):
        made.append(f"⚠️ {say('line_no_tasks')}")
    if view.phase == "rollout":
        made.append(f"🔄 {say('line_rollout')}")
    if of.rollback.stage:
        made.append(stage_line(of.rollback, "line_rollback_stage"))
    return made


def _restoring(view: View) -> list[str]:
    made: list[str] = []
    of, back = view.deployment, view.plan.back
    if of.restore.how == "waiting":
        made.append(f"⏳ {say('line_behind')}")
    if of.restore.left_alone:
        return made
    by_itself = of.rollout.restoring and not (of.rollback or of.restore)
    if by_itself and back:
        return [*made, f"⏪ {say(of_kind(of.plan.kind).texts.restores_itself, version=back)}"]
    return [
        *made,
        f"🔄 {say('line_rollout' if back else 'line_restoring_before')}",
    ]  # the header says to which version
