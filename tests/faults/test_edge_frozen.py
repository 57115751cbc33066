"""What was answered "could not be finished in time" never happens afterwards: the function is frozen with its answer,
and when a later request thaws it nothing goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatops.messages.catalogue import plain
from tests.faults.frozen_edge import SLOW_NAMES, FrozenEdge, frozen_edge

COMMANDS = ("deploy", "rollback", "status", "cancel this", "cancel")
BUTTONS = ("approve by Lee", "reject", "cancel button", "roll back by Lee", "promote", "take it back")
MODAL = ("ask for a reason",)
READING = ("cancel this", "cancel", *BUTTONS, *MODAL)
"""What reads before it changes anything."""


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrozenEdge]:
    with frozen_edge(tmp_path_factory.mktemp("edge"), 16) as made:
        yield made


def _text(body: str) -> str:
    """Of a command's answer, or of the modal that takes the place of one that was sent off."""
    found = json.loads(body or "{}")
    return str(found["view"]["blocks"][0]["text"]["text"] if "view" in found else found.get("text") or "")


@pytest.mark.parametrize(
    ("how", "kinds"), [("names", (*COMMANDS, *BUTTONS, *MODAL)), pytest.param("reads", READING, marks=pytest.mark.slow)]
)
def test_nothing_happens_after_the_answer(edge: FrozenEdge, how: str, kinds: tuple[str, ...]) -> None:
    before, began = edge.effects(), time.monotonic()
    with ThreadPoolExecutor(len(kinds)) as pool:
        list(pool.map(lambda _: edge.thaw(0.5), kinds))  # a warm process for each
        began = time.monotonic()
        with edge.stalling(how):
            answers = dict(zip(kinds, pool.map(edge.send, kinds), strict=True))
        assert edge.effects() == before
        time.sleep(max(0.0, began + SLOW_NAMES + 0.5 - time.monotonic()))
        list(pool.map(lambda _: edge.thaw(1.5), kinds))
    assert edge.effects() == before
    for kind, (body, seconds, told) in answers.items():
        texts = [_text(body), *edge.fake.told.get(told, [])]
        if how == "reads" or kind in COMMANDS or kind == "reject":  # else the response URL's name is slow, too
            # on a busy machine a read may have been given up before the whole
            assert any(plain(key) in text for text in texts for key in ("late", "click_failed")), (kind, texts)
        assert seconds < 3 or kind in _again(edge, how, kind), kind


def _again(edge: FrozenEdge, how: str, kind: str) -> set[str]:
    """A machine that is busy with other tests may have been slow itself: the kind is asked once more, alone."""
    with edge.stalling(how):
        return {kind} if edge.send(kind)[1] < 3 else set()


def test_what_was_sent_and_not_answered_is_said_to_be_unknown(edge: FrozenEdge) -> None:
    edge.thaw(0)
    with edge.stalling("changes"):
        body, _, _ = edge.send("deploy")
    assert plain("late_maybe") in _text(body)


def test_what_is_recorded_is_told_although_the_execution_is_woken_too_late(edge: FrozenEdge) -> None:
    """The record is answered at once; what comes after it drips."""
    edge.thaw(0)
    edge.fake.drips = ("SendTaskSuccess",)
    body, _, told = edge.send("approve by Lee")
    edge.fake.drips = ()
    (text,) = edge.fake.told.get(told, []) or [_text(body)]
    assert "counts: 1 of 2" in text
