"""The page of a deployment: from its message to its end, with nobody signed in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Open
from tests.browser.hands import asked, become, command, press
from tests.browser.test_for_everybody import AXE, found


def strip(page: Any) -> list[str]:
    return [str(text).partition("\n")[0] for text in page.locator(".phase .name").all_inner_texts()]


def follow(channel: Any) -> Any:
    """The page, as the link in the newest message opens it."""
    with channel.expect_popup() as opening:
        channel.get_by_role("link", name="View deployment").last.click()
    page = opening.value
    page.locator("#shown").wait_for()
    return page


def test_a_deployment_is_followed_to_its_end_by_whoever_has_the_link(opened: Open) -> None:
    channel = opened()
    requests: list[Any] = []
    told: list[str] = []
    channel.context.on("request", lambda one: requests.append(one))  # noqa: PLW0108 - Playwright marks its handlers
    channel.context.on("console", lambda one: told.append(one.text))
    command(channel, "/platform-deploy v1.2.3")
    asked(channel)
    page = follow(channel)
    address = urlsplit(page.url)
    current = page.locator('.phase[aria-current="step"]')
    current.get_by_text("@lee").wait_for()
    assert strip(page) == ["Plan", "Build", "Approval", "Deploy", "Rollout", "Done"]
    assert "@dana asked to deploy v1.2.3 to dev" in page.locator("#timeline").inner_text()
    become(channel, "lee")
    press(channel, "Approve")
    page.get_by_role("heading", name="v1.2.3 is live in dev").wait_for()
    assert "@lee approved" in page.locator("#timeline").inner_text()
    assert page.title() == "✅ v1.2.3 is live in dev"
    assert page.get_by_role("link", name="Open in Step Functions").is_visible()

    own = [one for one in requests if urlsplit(one.url).path.startswith(("/prod/d/", "/prod/pages/"))]
    assert {urlsplit(one.url).path.rpartition("/")[2] for one in own} >= {"state", "page.js", "page.css"}
    assert [one.url for one in own if address.fragment in one.url.partition("#")[0]] == []
    assert [one.url for one in own if address.fragment in one.headers.get("referer", "")] == []
    assert told == []
    page.clock.install()
    page.reload()
    page.locator("#shown").wait_for()
    requests.clear()
    page.clock.fast_forward(60_000)
    page.evaluate("fetch(location.pathname)")  # comes after whatever a timer would have asked
    assert [one.url for one in requests if one.url.endswith("/state")] == []


def test_a_link_that_has_lost_its_end_says_so_and_a_whole_one_shows_it(opened: Open) -> None:
    channel = opened()
    command(channel, "/platform-deploy v1.2.3")
    asked(channel)
    page = follow(channel)
    address, signed = page.url.split("#")
    page.evaluate("location.hash = '#1.1760000000.x'")
    page.get_by_role("alert").get_by_text("There is nothing to see here").wait_for()
    assert page.locator("#shown").is_hidden()
    assert "v1.2.3" not in page.locator("body").inner_text()
    page.evaluate("signed => { location.hash = signed; }", signed)
    page.locator("#shown").wait_for()
    assert page.url == f"{address}#{signed}"


def test_the_page_is_for_everybody(opened: Open) -> None:
    """axe finds nothing, in light and dark, on a desk and a phone; nothing is wider than the phone."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: `make check` installs it, and this test runs.")
    channel = opened()
    command(channel, "/platform-deploy v1.2.3")
    asked(channel)
    page = follow(channel)
    for scheme in ("light", "dark"):
        for width in (1280, 390):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 844})
            assert found(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
