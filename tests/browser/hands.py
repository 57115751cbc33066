"""What people do with the page."""

from __future__ import annotations

from typing import Any


def become(page: Any, name: str) -> None:
    """Act as dana, lee, kim or omar."""
    page.locator("#actors").get_by_role("radio", name=name).check()


def command(page: Any, line: str) -> None:
    """Type a slash command and press Enter."""
    page.get_by_label("Slash command").fill(line)
    page.keyboard.press("Enter")


def press(page: Any, name: str) -> None:
    """Press a button of a message, and answer yes where that is asked."""
    button = page.get_by_role("list", name="Messages").get_by_role("button", name=name, exact=True)
    button.click()
    if name in ("Approve", "Cancel", "Roll back"):
        page.get_by_role("dialog").get_by_role("button").last.click()


def asked(page: Any) -> None:
    """Wait until people are asked to approve."""
    page.get_by_role("list", name="Messages").get_by_role("button", name="Approve", exact=True).wait_for()


def unfold(page: Any, phase: str) -> None:
    """Show what is inside a phase that is folded."""
    page.locator(f'[data-state="{phase}"][aria-expanded="false"]').click()


def status(page: Any, wanted: str) -> None:
    """Wait until the execution on show has this status."""
    page.locator("#status", has_text=wanted).wait_for()


def state(page: Any, name: str) -> Any:
    """A state of the graph."""
    return page.locator(f'[data-state="{name}"]')


def unfold_threads(page: Any) -> None:
    """Show the replies of every message."""
    page.locator(".thread[aria-expanded='false']").evaluate_all("found => found.forEach(one => one.click())")


def said(page: Any, text: str) -> Any:
    """What stands in the channel."""
    return page.locator("#messages").get_by_text(text)
