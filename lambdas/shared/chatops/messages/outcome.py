"""How a deployment ended, in words: what happened, what is running now, what to do. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chatops.domain.release import Release
from chatops.domain.results import PauseResult, RolloutResult, StageResult
from chatops.domain.stage import STAGES
from chatops.messages.catalogue import Markup, duration, escape, link, mention, plain, reason_text, say
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
    """The outcome in mrkdwn."""
    return tidy(_sentence(view))


def _sentence(view: View) -> str:
    words: dict[str, object] = {
        "version": view.version,
        "target": view.target,
        "before": view.before,
        "command": view.command,
        "took": duration(view.elapsed),
        "user": view.requester,
        "by": view.deployment.outcome.by,
        "why": Markup(why(view)),
    }
    words["running"] = Markup(say("running_is" if view.before else "running_look", words))
    words["still"] = Markup(say("still_runs" if view.before else "running_look", words))
    words["was"] = Markup(say("was", words) if view.before else "")
    return _SENTENCES.get(view.end, _deploy_failed)(view, words)


Words = dict[str, object]


def _waited(view: View) -> str:
    return duration(view.deployment.approval.seconds or 0)


def _deployed(view: View, words: Words) -> str:
    who = voters(view.deployment.approval)
    return say("end_deployed", words, approved=Markup(say("approved_by", people=people(who)) if who else ""))


def _restored(view: View, words: Words) -> str:
    if view.command == "deploy":
        pause = view.pause or PauseResult()
        place, waited = where(pause.stage, pause.traffic), duration(pause.seconds)
        words |= {"before": view.back, "where": place, "waited": waited}
        if view.deployment.rollout.state == "expired":
            return say("end_unpromoted", words)
        key: TextKey = "end_pause_restored" if pause.decision == "rolled_back" else "end_cancel_restored"
        return say(key, words, user=words["by"] or view.requester)
    reason = view.plan.reason
    return say("end_restored", words, why=Markup(f" “{escape(reason)}”") if reason else "")


def _rejected(view: View, words: Words) -> str:
    reason = view.deployment.approval.reason or ""
    return say("end_rejected", words, took=_waited(view), reason=Markup(f": “{escape(reason)}”" if reason else ""))


def _expired(view: View, words: Words) -> str:
    return say("end_expired", words, took=_waited(view))


def _cancelled(view: View, words: Words) -> str:
    return say("end_superseded" if view.deployment.outcome.superseded else "end_cancelled", words)


def _rolled_back(view: View, words: Words) -> str:
    return say("end_rolled_back", words, before=view.back) + _events(view.deployment.rollout)


def _rollback_failed(view: View, words: Words) -> str:
    return say("end_rollback_failed", words, by_hand=Markup(by_hand(view))) + _events(view.deployment.restored)


def _stopped(view: View, words: Words) -> str:
    said = view.deployment.outcome.said or ""
    return say("end_stopped", words, said=plain("said_gone") if said == "GONE" else said)


def _refused(view: View, words: Words) -> str:
    # a refused rollback's reason says what runs: it may have changed since it was planned
    return say("end_refused" if view.command == "rollback" else "end_deploy_failed", words)


def _deploy_failed(view: View, words: Words) -> str:
    cause = view.deployment.outcome.why
    if cause and cause.reason.key == "why_overtaken":  # what ran when it was planned runs no more
        words |= {"running": Markup(say("running_look", words))}
    return say("end_deploy_failed", words)


_SENTENCES: dict[str, Callable[[View, Words], str]] = {
    "Deployed": _deployed,
    "Restored": _restored,
    "Rejected": _rejected,
    "Expired": _expired,
    "Cancelled": _cancelled,
    "Rolled Back": _rolled_back,
    "Rollback Failed": _rollback_failed,
    "Stopped": _stopped,
    "Build Failed": lambda _, words: say("end_build_failed", words),
    "Refused": _refused,
}


def _events(rollout: RolloutResult) -> str:
    events = [escape(e, 200) for e in rollout.events]
    return "\n" + say("ecs_events", events=Markup("\n".join(f"• {e}" for e in events))) if events else ""


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
        "job": stage.job or "",
        "step": stage.step or "",
        "conclusion": stage.conclusion or stage.state,
        "before": view.back,
    }
    key = cause.reason.key
    if key == "why_run_failed" and not (stage.job and stage.step):
        key = "why_run_failed_bare"
    return say(key, {**values, **cause.reason.values})


def short(view: View) -> str:
    """The fresh message at the end that mentions the requester; edits do not notify."""
    who = f"{mention(view.requester)}: " if view.requester else ""
    return f"{who}{escape(headline(view))}."
