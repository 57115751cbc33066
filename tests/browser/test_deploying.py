"""Dana asks, lee decides, the machine moves: the page in a real browser, through the real handlers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests.browser.conftest import Bot, Open
from tests.browser.hands import asked, become, command, press, said, state, status, unfold, unfold_threads


def lit(page: Any) -> set[str]:
    return set(page.locator(".edge.lit").evaluate_all("found => found.map(one => one.dataset.edge)"))


def test_from_the_command_to_deployed(opened: Open, bot: Bot) -> None:
    page = opened()
    command(page, "/platform-deploy v1.2.3")
    said(page, "Got it. Deploying v1.2.3 to dev").wait_for()
    asked(page)
    status(page, "RUNNING")
    page.get_by_role("button", name="Request Approval, Task, now here").wait_for()
    become(page, "lee")
    assert said(page, "Got it. Deploying").count() == 0, "only dana was told that"
    press(page, "Approve")
    status(page, "SUCCEEDED")
    page.get_by_role("heading", name="v1.2.3 is live in dev").wait_for()

    # the way through the graph is that of the history, and no other edge is lit
    (only,) = bot.get("executions")["executions"]
    way = {f"{a}→{b}" for a, b in bot.get(f"executions/{only['name']}")["way"]["edges"]}
    passed = [
        "Planned?",
        "Build",
        "Built?",
        "Approval",
        "Approved?",
        "Deploy",
        "Changed?",
        "Rollout",
        "Healthy?",
        "Settle",
    ]
    assert {f"{a}→{b}" for a, b in pairwise(passed)} <= lit(page)
    for phase in ("Build", "Approval", "Deploy", "Rollout"):
        unfold(page, phase)
        page.locator(f'[data-edge="{phase} Done→{phase}"].lit').wait_for(state="attached")
    assert lit(page) == way
    page.locator('[data-state="Deployed"].done').wait_for()
    strip = page.get_by_role("list", name="Phases").locator(".phase")
    assert strip.evaluate_all("all => all.map(one => one.dataset.phase)") == [
        *("Plan", "Build", "Approval", "Deploy", "Rollout", "Done")
    ]
    assert page.get_by_role("list", name="Phases").locator("li:not(.done)").count() == 0
    assert page.locator("#end").inner_text() == "✓ Deployed"
    assert page.locator("#timeline .line").first.inner_text().find("v1.2.3 is live in dev") > 0
    assert state(page, "Rolled Back").get_attribute("aria-label") == "Rolled Back, Fail, not entered"

    become(page, "dana")
    command(page, "/platform-status")
    page.locator(".ephemeral", has_text="Only visible to you").last.get_by_text("v1.2.3").first.wait_for()


def test_a_rollback_shows_what_runs_again_and_why(opened: Open) -> None:
    page = opened()
    page.get_by_role("button", name="Scenarios").click()
    page.get_by_role("button", name="rollback-command").click()
    page.get_by_role("status").filter(has_text="Played “rollback-command”").wait_for()
    page.locator('[data-state="Restored"].done').wait_for()
    unfold(page, "Rollback")
    page.locator('[data-edge="Asked For?→Take Target"].lit').wait_for(state="attached")
    assert {"Approved?→Rollback", "Who Restores?→Restore Service", "Restore Service→Check Restored"} <= lit(page)
    assert "Planned?→Build" not in lit(page), "that was the deployment before"
    page.get_by_role("heading", name="v1.1.0").last.wait_for()
    unfold_threads(page)
    said(page, "orders cannot be paid").last.wait_for()


def test_a_rejection_wants_a_reason_and_shows_it(opened: Open) -> None:
    page = opened()
    command(page, "/platform-deploy v1.2.3")
    page.get_by_role("button", name="Reject…").wait_for()
    become(page, "lee")
    press(page, "Reject…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject").click()
    dialog.get_by_role("alert").filter(has_text="required").wait_for()
    dialog.get_by_role("textbox").fill("Not on a Friday <b>please</b>.")
    dialog.get_by_role("button", name="Reject").click()
    dialog.wait_for(state="detached")
    status(page, "SUCCEEDED")
    said(page, "Not on a Friday <b>please</b>.").first.wait_for()
    assert page.get_by_role("button", name="Approve", exact=True).count() == 0
    page.locator('[data-state="Rejected"].done').wait_for()


def test_an_outsider_is_told_who_may_and_nothing_happens(opened: Open) -> None:
    page = opened()
    command(page, "/platform-deploy v1.2.3")
    asked(page)
    become(page, "omar")
    press(page, "Approve")
    told = page.locator(".ephemeral").last
    told.get_by_text("@lee").wait_for()
    status(page, "RUNNING")
    assert told.get_by_role("button").all_inner_texts() == ["Act as lee", "Act as kim"]
    told.get_by_role("button", name="Act as kim").click()
    page.get_by_role("button", name="Send as kim").wait_for()
    become(page, "dana")
    press(page, "Cancel")
    status(page, "SUCCEEDED")
    page.get_by_role("heading", name="cancelled").wait_for()


def test_what_is_typed_is_never_read_as_html(opened: Open) -> None:
    page = opened()
    command(page, "/platform-status <img src=x onerror=alert(1)>")
    page.locator(".ephemeral").first.wait_for()
    assert page.locator(".message img[src='x']").count() == 0
    command(page, "deploy it please")
    page.get_by_role("alert").filter(has_text="Only slash commands").wait_for()
