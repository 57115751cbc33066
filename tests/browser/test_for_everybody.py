"""Keyboard, screen reader, light and dark, less motion, narrow windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ROOT, Open
from tests.browser.hands import asked, become, command, press, state, status, unfold

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.dataset.state || ''"))


def tab_to(page: Any, what: str) -> None:
    """Press Tab until `what` (a function of the focused element) is true."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(f"(({what})(document.activeElement))"):
            return
    raise AssertionError(f"the Tab key does not reach {what}")


def test_everything_works_with_the_keyboard_alone(opened: Open) -> None:
    page = opened()
    tab_to(page, "one => one.id === 'command'")
    page.keyboard.type("/platform-deploy v1.2.3")
    page.keyboard.press("Enter")
    asked(page)
    tab_to(page, "one => one.name === 'actor'")
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Send as lee").wait_for()
    tab_to(page, "one => one.dataset.action === 'approve'")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    assert page.evaluate("document.activeElement.closest('dialog') !== null"), "the focus is in the dialog"
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")  # a closed one, which has no role, is not yet done with
    assert page.evaluate("document.activeElement.dataset.action") == "approve", "the focus is back on the button"
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    tab_to(page, "one => one.closest('dialog') && one.classList.contains('primary')")
    page.keyboard.press("Enter")
    status(page, "SUCCEEDED")

    tab_to(page, "one => one.dataset.state")
    first = focused(page)
    page.keyboard.press("ArrowDown")
    assert focused(page) not in ("", first)
    here = focused(page)
    page.keyboard.press("Enter")
    page.locator("#details-title", has_text=here).wait_for()
    page.keyboard.press("Escape")
    page.locator("#details").wait_for(state="hidden")
    assert focused(page) == here

    tab_to(page, "one => one.id === 'scenarios-button'")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="happy").wait_for()
    page.keyboard.press("Escape")
    page.locator("#scenarios").wait_for(state="hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(opened: Open, scheme: str) -> None:
    """Roles, names, contrast: every rule of axe-core that applies, on the page as it looks while people use it."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: `make check` installs it, and this test runs.")
    page = opened(color_scheme=scheme, reduced_motion="reduce")
    assert found(page) == []
    command(page, "/platform-deploy v1.2.3")
    asked(page)
    command(page, "/platform-status")
    page.locator(".ephemeral table, .ephemeral pre, .ephemeral .body").last.wait_for()
    unfold(page, "Build")
    state(page, "Poll Build").click()
    page.locator("#details").get_by_text("Visit ").wait_for()
    page.locator("#details").get_by_label("Search").fill("sha")
    assert found(page) == []
    page.get_by_role("tab", name="Events").click()
    assert found(page) == []
    become(page, "lee")
    press(page, "Reject…")
    page.get_by_role("dialog").get_by_role("button", name="Reject").click()
    assert found(page) == []
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")  # a closed one, which has no role, is not yet done with
    page.get_by_role("button", name="Scenarios").click()
    assert found(page) == []


def found(page: Any, script: Path = AXE) -> list[str]:
    """What axe-core says is wrong: the rule and where."""
    page.evaluate(script.read_text("utf-8"))  # past the page's policy, which lets nobody else's script in
    wrong = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}" for rule in wrong for node in rule["nodes"]]


def test_light_and_dark_follow_the_system(opened: Open) -> None:
    page = opened(color_scheme="light")
    shades = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        shades.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert shades[0] == "rgb(255, 255, 255)"
    assert shades[1] != shades[0]


def test_whoever_asks_for_less_motion_sees_none(opened: Open) -> None:
    page = opened(reduced_motion="no-preference")
    command(page, "/platform-deploy v1.2.3")
    asked(page)
    assert page.evaluate("document.getAnimations().length") > 0, "the current state breathes"
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_function("document.getAnimations().length === 0")
    page.reload()
    page.get_by_text("live", exact=True).wait_for()
    become(page, "lee")
    press(page, "Approve")
    page.get_by_role("img").first.wait_for()
    page.wait_for_function("[...document.querySelectorAll('.body img')].every(one => !/[.]gif$/.test(one.src))")


def test_a_narrow_window_needs_no_sideways_scrolling(opened: Open) -> None:
    page = opened()
    command(page, "/platform-deploy v1.2.3")
    asked(page)
    for width in (360, 820, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_on_a_phone_the_graph_is_the_strip_and_a_list(opened: Open) -> None:
    page = opened(viewport={"width": 390, "height": 844})
    command(page, "/platform-deploy v1.2.3")
    asked(page)
    assert page.locator("#machine").is_hidden()
    page.get_by_role("list", name="Phases").get_by_role("button", name="Approval now here, @lee or @kim").wait_for()
    page.get_by_role("list", name="States passed").get_by_role("button", name="Request Approval, now here").click()
    page.locator("#details-title", has_text="Request Approval").wait_for()
