"""How a deployment ended, in text: what happened, what is running now, what to do. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chatops.domain.reason import Reason
from chatops.domain.release import Release
from chatops.domain.results import PauseResult, RolloutResult, StageResult
from chatops.domain.stage import STAGES
from chatops.messages import statuses
from chatops.messages.catalogue import Markup, duration, escape, link, plain, reason_text, say
from chatops.messages.parts import tidy
from chatops.messages.paused import where
from chatops.messages.view import View
from chatops.messages.who import people, voters
from chatops.platforms.registry import of_kind

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

BREAKAGES = ("Build Failed", "Rolled Back", "Deploy Failed", "Rollback Failed", "Stopped")
_TITLES: dict[str, TextKey] = {
    "Deployed": "title_deployed",
    "Restored": "title_restored",
    "Rolled Back": "title_rolled_back",
    "Build Failed": "title_build_failed",
    "Deploy Failed": "title_deploy_failed",
    "Rollback Failed": "title_rollback_failed",
    "Rejected": "title_rejected",
    "Expired": "title_expired",
    "Cancelled": "title_cancelled",
    "Refused": "title_refused",
    "Stopped": "title_stopped",
}


_SIGNS = {"Deployed": "✅", "Restored": "⏪", "Rolled Back": "⏪"}
_SERVICES = {"ecs": "ECS", "codedeploy": "CodeDeploy"}


def sign(end: str) -> str:
    """How it ended, at a glance: live, rolled back, failed, or ended by people."""
    return _SIGNS.get(end, "❌" if "Failed" in end else "⏹️")


def title(view: View) -> TextKey:
    """The catalogue key of the header."""
    if view.deployment.outcome.superseded:
        return "title_superseded"
    if view.end == "Deploy Failed" and view.command == "rollback":
        return "title_not_rolled_back"
    return _TITLES.get(view.end, "title_deploy_failed")


def headline(view: View) -> str:
    """The header, plain text. What a cancel put back is the version before, not the one that was asked for."""
    put_back = view.end == "Restored" and view.command == "deploy"
    return plain(title(view), version=view.back if put_back else view.version, target=view.target)


def sentence(view: View) -> str:
    """The outcome in mrkdwn; the headline, beside which it stands, says of which version and target."""
    return tidy(_sentence(view))


def _sentence(view: View) -> str:
    values: Values = {
        "version": view.version,
        "target": view.target,
        "before": view.before,
        "command": view.command,
        "took": duration(view.elapsed),
        "user": view.requester,
        "by": view.deployment.outcome.by,
        "why": Markup(why(view)),
        "confirmed": Markup(confirmed(view)),
    }
    values["running"] = Markup(say("running_is" if view.before else "running_look", values))
    values["still"] = Markup(say("still_runs" if view.before else "running_look", values))
    values["was"] = Markup(say("was", values) if view.before else "")
    return _SENTENCES.get(view.end, _deploy_failed)(view, values)


Values = dict[str, object]


def service(view: View) -> str:
    """The AWS service that knows what runs; empty where only the pipeline does."""
    return _SERVICES.get(of_kind(view.plan.kind).client, "")


def confirmed(view: View) -> str:
    """By whom it is confirmed what runs."""
    return say("confirmed_by", service=service(view)) if service(view) else say("confirmed")


def _waited(view: View) -> str:
    return duration(view.deployment.approval.seconds or 0)


def _deployed(view: View, values: Values) -> str:
    who = voters(view.deployment.approval)
    return say("end_deployed", values, approved=Markup(say("approved_by", people=people(who)) if who else ""))


def _restored(view: View, values: Values) -> str:
    if view.command == "deploy":
        pause = view.pause or PauseResult()
        place, waited = where(pause.stage, pause.traffic), duration(pause.seconds)
        values |= {"before": view.back, "where": place, "waited": waited}
        if view.deployment.rollout.state == "expired":
            return say("end_unpromoted", values)
        key: TextKey = "end_pause_restored" if pause.decision == "rolled_back" else "end_cancel_restored"
        return say(key, values, user=values["by"] or view.requester)
    return say("end_restored", values)


def _rejected(view: View, values: Values) -> str:
    reason = view.deployment.approval.reason or ""
    return say("end_rejected", values, took=_waited(view), reason=Markup(f": “{escape(reason)}”" if reason else ""))


def _expired(view: View, values: Values) -> str:
    return say("end_expired", values, took=_waited(view))


def _cancelled(view: View, values: Values) -> str:
    return say("end_superseded" if view.deployment.outcome.superseded else "end_cancelled", values)


def _rolled_back(view: View, values: Values) -> str:
    return say("end_rolled_back", values, before=view.back)


def _rollback_failed(view: View, values: Values) -> str:
    return say("end_rollback_failed", values, by_hand=Markup(by_hand(view)))


def _stopped(view: View, values: Values) -> str:
    return say("end_stopped", values, ended=Markup(statuses.execution(view.deployment.outcome.execution_status or "")))


def _refused(view: View, values: Values) -> str:
    # a refused rollback's reason says what runs: it may have changed since it was planned
    return say("end_refused" if view.command == "rollback" else "end_deploy_failed", values, running=values["still"])


def _deploy_failed(view: View, values: Values) -> str:
    cause = view.deployment.outcome.why
    if cause and cause.reason.key == "why_overtaken":  # what ran when it was planned runs no more
        values |= {"running": Markup(say("running_look", values))}
    elif _untouched(view):
        values |= {"running": values["still"]}
    return say("end_deploy_failed", values)


def _untouched(view: View) -> bool:
    """The deploy job ended before the service changed, as was looked up when it was to be put back; or never began."""
    return view.deployment.restore.how == "untouched" or not view.deployment.deploy.claimed


_SENTENCES: dict[str, Callable[[View, Values], str]] = {
    "Deployed": _deployed,
    "Restored": _restored,
    "Rejected": _rejected,
    "Expired": _expired,
    "Cancelled": _cancelled,
    "Rolled Back": _rolled_back,
    "Rollback Failed": _rollback_failed,
    "Stopped": _stopped,
    "Build Failed": lambda _, values: say("end_build_failed", values),
    "Refused": _refused,
}


def broken_rollout(view: View) -> RolloutResult:
    """What broke: the rollout, or the one that was to put the version before back; empty where neither did."""
    of = view.deployment
    return {"Rolled Back": of.rollout, "Rollback Failed": of.restored}.get(view.end) or RolloutResult()


def events(rollout: RolloutResult) -> str:
    """ECS's last events of the service, in lines; empty where there are none."""
    lines = "\n".join(f"• {escape(each, 200)}" for each in rollout.events)
    return say("ecs_events", events=Markup(lines)) if lines else ""


def by_hand(view: View) -> str:
    """The command that puts the recorded release back without the bot."""
    back, names = view.plan.previous or Release(), view.deployment.outcome.place or {}
    if command := of_kind(view.plan.kind).by_hand(back, names):
        return reason_text(command)
    return say("by_hand_none", before=view.back) if view.back else say("running_look", target=view.target)


def _run(stage: StageResult) -> Markup:
    url = stage.log_url or stage.run_url or ""  # the failed job's page shows its log
    return Markup(link(url, plain("run_name", number=stage.run_number) if stage.run_number else "GitHub"))


def why(view: View) -> str:
    """What went wrong, as precisely as the results allow; empty where nothing did."""
    cause = view.deployment.outcome.why
    if cause is None:
        return ""
    stage = view.deployment.stage(cause.stage) if cause.stage in STAGES else StageResult()
    values = {
        "run": _run(stage),
        "stage": cause.stage,
        "step": stage.step or "",
        "conclusion": statuses.result(stage.conclusion or stage.state),
        "before": view.back,
        "version": view.version,
        "target": view.target,
        "quoted": Markup(_quoted(cause.reason)),
    }
    key = _broken_rollout(cause.reason) if cause.reason.key == "why_rollout_failed" else cause.reason.key
    if key == "why_run_failed" and not stage.step:
        key = "why_run_failed_bare"
    return say(key, {**values, **cause.reason.values})


def reported(reason: Reason) -> str:
    """What the service itself says about why it broke."""
    return str(reason.values.get("said") or "").removeprefix(": ")


def _quoted(reason: Reason) -> str:
    return f" (“{escape(text)}”)" if (text := reported(reason)) else ""


def unquoted(reason: Reason) -> str:
    """What the service says about why it broke, where its own words are not in the sentence."""
    broke = reason.key == "why_rollout_failed" and _broken_rollout(reason) in (
        "why_rollout_breaker",
        "why_rollout_alarm",
    )
    return reported(reason) if broke else ""


def _broken_rollout(reason: Reason) -> TextKey:
    """Why a rollout failed, as far as the service says so.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
    """
    text = reported(reason).lower()
    if "circuit breaker" in text:
        return "why_rollout_breaker"
    if "alarm" in text:
        return "why_rollout_alarm"
    stopped = str(reason.values.get("status", "")).upper() in ("STOPPED", "STOP_REQUESTED")
    return "why_rollout_stopped" if stopped else "why_rollout_failed"
