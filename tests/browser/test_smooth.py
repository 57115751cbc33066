"""200 messages and 1,000 events: what changes is drawn, and nothing else.

Counted in writes to the page, which are the same on every machine, rather than in time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from local.page.server import Page
from local.web import Mounts, WebServer
from tests.unit.page_session import BUTTONS, START, Session, entered, event, exited

MESSAGES, EVENTS = 200, 1000
COUNT = """
window.writes = [];
new MutationObserver((found) => window.writes.push(...found.map((one) => one.target)))
  .observe(document.documentElement, { subtree: true, childList: true, attributes: true, characterData: true });
"""


@pytest.fixture
def session() -> Session:
    made = Session()
    first = made.say("A deployment", blocks=BUTTONS)
    for number in range(MESSAGES - 1):
        made.say(f"Message {number}", blocks=BUTTONS, thread_ts=first.ts if number % 4 == 3 else None)
    made.sfn.add("d-1", "RUNNING", events(EVENTS), startDate=dt.datetime.now(dt.UTC))
    return made


def events(count: int) -> list[dict[str, Any]]:
    found = [event(1, "ExecutionStarted")]
    while len(found) < count:
        at = len(found) + 1
        found += [entered(at, "Only", at / 10, input="{}"), exited(at + 1, "Only", at / 10, output="{}")]
    return found[:count]


@pytest.fixture
def shown(session: Session, chromium: Any) -> Iterator[Any]:
    """The page of this session, with the events on show."""
    made = Page(session)
    web = WebServer(Mounts({}, {}, {}, made.app))
    session.slack.base_url = web.url
    page = chromium.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce", bypass_csp=True)
    page.goto(web.url)
    page.get_by_text("live", exact=True).wait_for()
    page.get_by_role("tab", name=f"Events ({EVENTS})").click()
    page.wait_for_function(f"document.querySelectorAll('#history tr').length === {EVENTS}")
    yield page
    page.close()
    made.close()
    web.close()


def writes(page: Any, done: str) -> int:
    page.wait_for_function(done)
    return int(page.evaluate("window.writes.filter((one) => !['elapsed', 'announcer'].includes(one.id)).length"))


def test_only_what_changed_is_drawn_and_the_channel_keeps_up(session: Session, shown: Any) -> None:
    at_end = "messages.scrollHeight - messages.scrollTop - messages.clientHeight < 2"
    assert shown.evaluate(at_end), "it begins at the newest message"
    shown.evaluate(COUNT)
    session.say("One more", blocks=BUTTONS)
    assert writes(shown, "document.querySelectorAll('.message').length === 201") <= 3
    shown.wait_for_function(at_end)

    shown.evaluate("messages.scrollTop = 0; window.writes = []")
    shown.wait_for_function("messages.scrollTop === 0")
    card = session.slack.messages[0]
    session.slack.space.store.edit(card, "It goes on", [], START.timestamp())
    assert writes(shown, "messages.firstElementChild.innerText.includes('It goes on')") <= 6
    assert shown.locator("#newer").is_hidden(), "an edit is nothing new"
    session.say("Something new")
    shown.locator("#newer").click()
    shown.wait_for_function(at_end)
    shown.locator("#newer").wait_for(state="hidden")


def test_a_picture_has_its_room_before_it_has_loaded(session: Session, shown: Any) -> None:
    shown.route("**/slow.gif", lambda _: None)  # never answered
    address = f"{session.slack.base_url}/slow.gif"
    session.say("Live", blocks=[{"type": "image", "image_url": address, "alt_text": "live"}])
    picture = shown.get_by_role("img", name="live")
    picture.wait_for()
    box = picture.bounding_box()
    assert box["width"] / box["height"] == pytest.approx(480 / 150, rel=0.02)


def test_one_more_event_is_one_more_row(session: Session, shown: Any) -> None:
    asked = []
    shown.on("response", lambda answer: asked.append(answer) if "/api/executions/d-1" in answer.url else None)
    shown.evaluate(COUNT)
    found = session.sfn.executions["d-1"][1]
    found.append(entered(EVENTS + 1, "Only", EVENTS))
    assert writes(shown, f"document.querySelectorAll('#history tr').length === {EVENTS + 1}") <= 12
    assert len(asked[0].json()["events"]) == 1, "what the page has is not sent again"
