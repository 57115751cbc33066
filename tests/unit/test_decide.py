"""`make decide` speaks of the words that its user typed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts import decide, operator
from scripts.operator import Asked

ROOT = Path(__file__).parents[2]
GOOD = {"DECISION": "approve", "ID": "d-abc234def567", "STACK": "platform-deploy"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"DECISION": ""}, "DECISION is ''; it should be one of approve, reject, promote, cancel."),
        ({"DECISION": "demote"}, "DECISION is 'demote'"),
        ({"ID": ""}, "ID is ''; a deployment's id looks like d-abc234def567."),
        ({"ID": "d bad"}, "ID is 'd bad'"),
        ({"DECISION": "reject"}, "a rejection needs a reason (REASON)"),
        ({"DECISION": "reject", "REASON": " "}, "a rejection needs a reason (REASON)"),
        ({"REASON": "x" * 501}, "REASON has 501 characters; it may have 500."),
        ({"BY": "x" * 81}, "BY has 81 characters; it may have 80."),
    ],
)
def test_a_mistake_is_named_as_it_was_typed_and_nothing_is_recorded(
    change: dict[str, str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decide, "carry_out", lambda *_: pytest.fail("something was recorded"))
    assert decide.main({**GOOD, **change}) == 2
    said = capsys.readouterr().err
    assert said.startswith("Nothing was recorded: ")
    assert says in said
    assert "--" not in said


def test_without_a_stack_and_a_table_it_asks_for_the_stack(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHATOPS_TABLE", raising=False)
    assert decide.main({**GOOD, "STACK": " "}) == 1
    assert "Nothing was recorded. Which table? Name the stack (STACK), or" in capsys.readouterr().err


def test_the_words_are_taken_as_they_were_typed_and_options_named_where_options_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Asked] = []
    monkeypatch.setattr(decide, "carry_out", lambda it, _: asked.append(it) or 0)
    reason = "--stack of cards; $(no) 'shell'"
    assert decide.main({**GOOD, "DECISION": "reject", "BY": "Lee", "REASON": reason}) == 0
    assert asked == [Asked("reject", GOOD["ID"], reason, "Lee", "platform-deploy")]
    assert "--reason" in operator.mistake(Asked("reject", GOOD["ID"]))


@pytest.mark.slow
def test_make_hands_them_on() -> None:
    command = ["make", "-s", "decide", "DECISION=reject", "ID=d-abc234def567", "STACK=s"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Nothing was recorded: a rejection needs a reason (REASON)" in done.stderr
