"""Every message that people can read, in the language that is set: `messages.json` holds, `make messages` draws it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast, get_args

from chatops.domain.reason import Reason
from chatops.domain.target import Target
from chatops.domain.text_keys import TextKey
from chatops.edge.commands import help_text
from chatops.messages import card, details, en, en_reasons, history, modals, reports
from chatops.messages.catalogue import Markup, say
from tests.unit import views
from tests.unit.views import BACK, ENDS, PLAN, STATES, State

Message = dict[str, Any]
AT = "2025-10-09T09:53:20.000Z"
LAST = [
    {"version": "v1.2.3", "before": "v1.2.2", "requester": "U0DANA001", "started_at": AT, "end": "", "seconds": None},
    *(
        {
            "version": "v1.2.3",
            "before": "v1.2.2",
            "requester": "U0LEE0001",
            "started_at": AT,
            "end": end,
            "seconds": 362,
        }
        for end in ("Deployed", "Restored", "Rolled Back", "Build Failed", "Deploy Failed", "Rollback Failed")
    ),
    *(
        {"version": "v1.2.3", "before": "", "requester": "", "started_at": AT, "end": end, "seconds": 65}
        for end in ("Rejected", "Expired", "Cancelled", "Refused", "Stopped")
    ),
]
NOTE = {"key": "freeze_note", "values": {"reason": "database migration"}}
LOCKS = [
    {"kind": "locked", "by": "U0LEE0001", "at": AT, "until": AT, "reason": "database migration"},
    {"kind": "unlocked", "by": "U0KIM0001", "at": AT},
]
ROLLOUT = {"running": 4, "desired": 4, "pending": 0, "status": "SUCCESSFUL", "events": ["(service api) is steady."]}
STATUS: State = {
    "target": "prod",
    "kind": "ecs",
    "version": "v1.2.3",
    "since": AT,
    "rollout": ROLLOUT,
    "last": LAST[1:5],
}
STATUSES: dict[str, State] = {
    "live": STATUS,
    "nothing known": {"target": "prod", "kind": "ecs"},
    "under way": {
        **STATUS,
        "last": LAST[:4],
        "holder": {"deployment_id": views.ID, "version": "v1.2.4", "requester": "U0DANA001", "since": AT},
        "rollout": {
            **ROLLOUT,
            "running": 3,
            "pending": 1,
            "status": "IN_PROGRESS",
            "traffic": 10.0,
            "strategy": "CANARY",
        },
    },
    "drift": {**STATUS, "drift": {"running": "v1.2.2", "recorded": "v1.2.3"}},
    "locked": {
        **STATUS,
        "freeze": {
            "key": "freeze_locked",
            "values": {"target": "prod", "until": AT, "by": "U0LEE0001", "note": NOTE},
        },
    },
    "unreadable": {**STATUS, "rollout": {}, "error": "AWS did not carry out DescribeServices: ThrottlingException."},
    "CodeDeploy": {
        **STATUS,
        "kind": "codedeploy",
        "rollout": {**ROLLOUT, "status": "Ready", "strategy": "ECSLinear10"},
    },
    "not read": {},
}
SAMPLES: dict[str, object] = dict(  # noqa: C408 - a line holds more of them
    user="U0DANA001", by="U0LEE0001", deciders=("U0LEE0001", "U0KIM0001"), people=("U0LEE0001",),
    place=Markup("<#C0DEPLOY1>"), version="v1.2.3", before="v1.2.2", live="v1.2.2", planned="v1.2.1", target="prod",
    targets="dev, prod", id=views.ID, until=AT, since=AT, deadline=AT, execution=views.CONSOLE, ago="3m", left="5m",
    seconds=180, end="Stopped", stage="build", word="--dryrun", meant="--dry-run", field="version",
    known="deploy, rollback", command="deploy", reason="prices", count=2, quorum=2, most=20, have=1, want=2, limit=500,
    group="S0PLATF01", tags="api@*", note=Reason("freeze_note", reason="holidays"),
    running=Reason("live_now", live="v1.2.2"), freeze=Reason("freeze_until", target="prod", until=AT, note=""),
    replaces="", why=Reason("glass_not_you", target="prod"),
    said=Reason("slack_silent", method="users.info", error="URLError"), decision=Reason("decision_approved"),
    then=Reason("promotion_then_rollback"), where="before production traffic", traffic="10%",
    repository="acme/checkout-api", status=403, code="channel_not_found", file=".github/workflows/prod.yml",
    event_type="prod_deploy", job="test", step="Run the tests", run=Markup(f"<{views.RUN['run_url']}|run #4411>"),
    conclusion="failed", quoted="", environment="prod-build", reviewers="kim", error="States.Timeout",
    task_definition="api:7", approved="api@sha256:1", runs="api@sha256:2", wanted="ARM64", built="linux/amd64",
    runner="ubuntu-24.04-arm", request="GET /repos", method="chat.postMessage", operation="DescribeServices",
    service="api", cluster="shop", deployment="d-ABC", hook="h", wait="READY_WAIT", application="shop", found="7",
    schema="1", there=Reason("where_below"),
)  # fmt: skip
"""A value for each placeholder."""
ANSWERED = (
    "locked",
    "unlocked",
    "accepted_",
    "approval_ping",
    "promotion_",
    "reminder",
    "channel_closed",
    "where_elsewhere",
    "not_started",
    "usage_",
)


def messages() -> dict[str, Message]:
    """`{"text"}`, with `blocks` where it has some; a modal has `view`."""
    made: dict[str, Message] = {f"card: {name}": card.message(views.seen(state)) for name, state in STATES.items()}
    made |= {f"reply: {name}": details.reply(views.seen(state)) for name, state in ENDS.items()}
    made |= {f"status: {name}": reports.status(views.status_of(found)) for name, found in STATUSES.items()}
    for name, last in {"some": LAST, "none": []}.items():
        made[f"history: {name}"] = history.history(views.status_of({"target": "prod", "last": last}))
    made["history: locked"] = history.history(views.status_of({"target": "prod", "last": LAST[1:2], "locks": LOCKS}))
    tag = {"key": "tag_and_branch", "values": {"version": "v1.2.3", "branch": "heads/v1.2.3"}}
    planned, next_ones = STATES["planned"], ("prod-eu", "prod-us")
    made["card: planned, with a note"] = card.message(views.seen({**planned, "plan": {**PLAN, "note": tag}}))
    page = "https://bot.example/prod/d/d-abc234def567#1.1760691200.x"
    made["card: planned, with its page"] = card.message(replace(views.seen(planned), page_url=page))
    made["card: Deployed, with targets after it"] = card.message(replace(views.seen(ENDS["Deployed"]), next=next_ones))
    live = {**PLAN, "live": {"version": "v1.2.3", "sha": PLAN["sha"]}, "changes": {}}
    made["card: approval, of what is live already"] = card.message(views.seen({**STATES["approval"], "plan": live}))
    made["dry run: with a note"] = reports.dry_run(views.plan_of({**PLAN, "note": tag}))
    held = {
        "target": "prod",
        "id": "d-one",
        "version": "v1.2.2",
        "user": "U0LEE0001",
        "since": "2025-10-09T08:40:00.000Z",
    }
    held |= {"execution": "https://example.com", "running": Reason("live_now", live="v1.2.1").as_json()}
    busy = {**PLAN, "refusal": {"key": "busy", "values": held}}
    made["dry run: while the target is held"] = reports.dry_run(views.plan_of(busy))
    two = {
        **PLAN,
        "approval": {**PLAN["approval"], "quorum": 2},
        "break_glass": {"by": "U0LEE0001", "reason": "outage"},
    }
    nobody = {**PLAN, "approval": {"required": False}, "changes": {}, "live": {}, "previous": {}}
    for name, plan in {"deploy": PLAN, "rollback": BACK, "two approvals, in a freeze": two, "first": nobody}.items():
        made[f"dry run: {name}"] = reports.dry_run(views.plan_of(plan))
    for kind in get_args(modals.Kind):
        made[f"modal: {kind}"] = {"view": modals.reason(kind, "{}", "v1.2.3", "prod")}
    made["modal: notice"] = {"view": modals.notice(say("click_expired", SAMPLES))}
    made["answer: help"] = {
        "text": help_text({name: Target(name, "acme/shop", f"{name}_deploy") for name in ("dev", "prod")})
    }
    keys = [key for key in en.TEXTS if key in en_reasons.TEXTS or key.startswith(ANSWERED)]
    made |= {f"answer: {key}": {"text": say(cast("TextKey", key), SAMPLES)} for key in keys}
    return made
