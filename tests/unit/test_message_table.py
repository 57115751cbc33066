"""What each event tells people: who, what, since when, what runs now, where to look, what to do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chatops.domain.errors import GitHubRefused
from chatops.domain.reason import running
from chatops.messages import card, outcome, reports
from chatops.messages.catalogue import say
from tests.unit import views
from tests.unit.views import BROKE, ENDS, PHASES, PLAN, State

RUN = views.RUN["run_url"]
LOG = f"{RUN}/job/7"


def message(state: State) -> dict[str, Any]:
    return card.message(views.seen(state))


def everything(state: State) -> str:
    """All that is written in a message, its buttons and its picture."""

    def texts(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [str(v) for k, v in node.items() if k in ("text", "alt_text") and isinstance(v, str)]
            return own + [t for v in node.values() if not isinstance(v, str) for t in texts(v)]
        return [t for one in node for t in texts(one)] if isinstance(node, list) else []

    return "\n".join(texts(message(state)["blocks"]))


def kinds(state: State) -> list[str]:
    return [block["type"] for block in message(state)["blocks"]]


def in_order(text: str, *parts: str) -> bool:
    return re.search(".*".join(map(re.escape, parts)), text, re.DOTALL) is not None


def test_accepted_says_what_goes_where_and_where_to_follow_it() -> None:
    assert say("accepted_deploy", version="v2.8.1", target="prod") == (
        "Got it. Deploying `v2.8.1` to *prod*; follow it below."
    )


def test_an_approval_says_what_from_what_by_whom_with_the_changes_the_build_and_the_deadline() -> None:
    card = everything(PHASES["approval"])
    for part in (
        "Approval needed: checkout-api v1.2.3 → prod",
        "`v1.2.2` → `v1.2.3`",
        "<@U0DANA001>",
        "4f0c1aa> Round prices half up",
        "compare/a...b|3 commits>",
        "Build <",
        "succeeded (1m 05s)",
        "*Deadline*",
        "Waiting for <@U0LEE0001>, <@U0KIM0001>",
    ):
        assert part in card, part
    (actions,) = [block for block in message(PHASES["approval"])["blocks"] if block["type"] == "actions"]
    assert [one["text"]["text"] for one in actions["elements"]] == ["Approve", "Reject…", "Cancel"]
    assert actions["elements"][0]["confirm"]


def test_a_reminder_mentions_who_may_and_the_time_left() -> None:
    told = say("reminder", people="@lee", version="v1", target="prod", left="5m 00s")
    assert in_order(told, "@lee", "`v1`", "*prod*", "5m 00s left")


@pytest.mark.parametrize(
    ("end", "parts"),
    [
        ("Rejected", ("<@U0KIM0001>", "after 12s", "“not on a Friday”", "Nothing was deployed", "`v1.2.2`")),
        ("Expired", ("Nobody decided within 1h 00m", "Nothing was deployed", "`v1.2.2`")),
        ("Cancelled", ("<@U0DANA001>", "after", "Nothing was deployed", "`v1.2.2`")),
        ("Superseded", ("<@U0KIM0001>", "after", "Nothing of it was deployed")),
    ],
)
def test_a_decision_takes_the_buttons_place_with_who_after_how_long_and_how_to_ask_again(
    end: str, parts: tuple[str, ...]
) -> None:
    assert "actions" not in kinds(ENDS[end])
    assert in_order(outcome.sentence(views.seen(ENDS[end])), *parts, "To ask again: `/platform-deploy v1.2.3 prod`")


def test_an_approval_is_told_with_who_and_after_how_long() -> None:
    assert "Approved by <@U0LEE0001> after 2m 10s" in everything(PHASES["approved"])


def test_whoever_may_not_is_told_who_may_and_a_decided_card_by_whom_and_when() -> None:
    assert "@lee" in say("click_not_asked", people="@lee", id="d-1")
    told = say("click_already", by="U0LEE0001", decision=say("decision_approved"), id="d-1", ago="3m 00s")
    assert in_order(told, "<@U0LEE0001>", "approved", "3m 00s ago")


def test_a_build_shows_run_job_step_and_the_time_with_the_picture() -> None:
    shown = everything(PHASES["build runs"])
    assert f"<{RUN}|#4411>" in shown
    assert "build · docker build" in shown
    assert "6m 02s" in shown
    assert "image" in kinds(PHASES["build runs"])


def test_a_rollout_shows_tasks_and_state_with_the_picture() -> None:
    shown = everything(PHASES["rollout"])
    assert "running *2* / desired *4* · pending 2" in shown
    assert "`IN_PROGRESS`" in shown
    assert "image" in kinds(PHASES["rollout"])


def test_live_says_how_long_what_before_who_approved_and_offers_the_way_back() -> None:
    shown = everything(ENDS["Deployed"])
    assert in_order(shown, "`v1.2.3` is live in *prod* (6m 02s)", "Before: `v1.2.2`", "Approved by <@U0LEE0001>")
    assert "running *4* / desired *4*" in shown
    assert "image" in kinds(ENDS["Deployed"])


def test_a_failed_build_names_job_and_step_links_its_log_and_says_what_still_runs() -> None:
    failed = {**ENDS["Build Failed"], "build": {**BROKE, "log_url": LOG}}
    told = outcome.sentence(views.seen(failed))
    assert told == f"Job *test*, step *Run the tests* failed: <{LOG}|run #4411>. *prod* still runs `v1.2.2`."
    without = outcome.sentence(views.seen(ENDS["Build Failed"]))
    assert f"<{RUN}|run #4411>" in without, "where GitHub did not tell the job, its run is linked"
    assert "image" in kinds(failed)


def test_a_failed_rollout_says_why_what_runs_again_and_the_last_events_of_ecs() -> None:
    told = outcome.sentence(views.seen(ENDS["Rolled Back"]))
    assert in_order(
        told, "`v1.2.3`", "ROLLBACK_IN_PROGRESS", "tasks failed to start", "Running again, confirmed: `v1.2.2`"
    )
    assert "(service checkout-api) has started 2 tasks" in told
    assert "`v1.2.2` → `v1.2.3`" in everything(ENDS["Rolled Back"])


def test_busy_says_whose_deployment_since_when_with_a_link_and_what_to_do() -> None:
    url = "https://console.example/executions/d-1"
    values = {
        "target": "prod",
        "user": "U0DANA001",
        "version": "v1",
        "id": "d-1",
        "running": running("v0"),
        "execution": url,
    }
    told = say("busy", values, since="2026-01-02T03:04:05Z")
    assert in_order(told, "`prod` is busy", "<@U0DANA001>", "`v1`", "`d-1`", f"<{url}|execution>", "<!date^", "`v0`")
    assert "`/platform-deploy cancel d-1`" in told


@pytest.mark.parametrize(
    ("status", "parts"),
    [
        (401, ("does not know the token", "`repo` and `workflow`", "Contents: write")),
        (403, ("forbids this", "acme/shop", "`repo` and `workflow` (classic)", "Contents: write", "SSO")),
        (404, ("acme/shop", "`GITHUB_ID` and `GITHUB_REPO`", "`repo`", "Contents: write")),
    ],
)
def test_a_refused_dispatch_says_which_right_is_missing_and_where_it_is_changed(
    status: int, parts: tuple[str, ...]
) -> None:
    refused = GitHubRefused(status, "acme/shop", "no")
    assert in_order(say(refused.key, refused.values), *parts)


def test_a_run_that_never_appeared_names_the_usual_causes_in_order() -> None:
    told = outcome.sentence(views.seen(ENDS["Build Failed, no run"]))
    assert in_order(
        told,
        "GitHub accepted the event",
        "180 s",
        "Actions are disabled for the organisation or the repository",
        "not on the default branch",
        "`types:` do not list `prod_deploy`",
        "*prod* still runs `v1.2.2`",
    )


def test_status_says_the_essentials_in_its_text_alone() -> None:
    fact = {"target": "prod", "kind": "ecs", "version": "v1", "rollout": {"running": 2, "desired": 2, "pending": 0}}
    last = [{"end": "Deployed", "version": "v1", "requester": "U0DANA001", "started_at": "2026-01-02T03:04:05Z"}]
    told = reports.status(views.status_of({**fact, "last": last}))
    assert in_order(told["text"], "prod runs v1", "last:", "v1")
    assert told["blocks"]


def test_what_a_dry_run_finds_is_no_deployment() -> None:
    assert "nothing was done" in reports.dry_run(views.plan_of(PLAN))["text"]
