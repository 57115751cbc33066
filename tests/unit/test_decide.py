"""`make decide` speaks of the words that its user typed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chatops import operator
from scripts import decide

ROOT = Path(__file__).parents[2]
GOOD = {"DECISION": "approve", "ID": "d-abc234def567", "STACK": "platform-deploy"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"DECISION": ""}, "DECISION is ''; it should be approve, reject, promote or cancel."),
        ({"DECISION": "demote"}, "DECISION is 'demote'"),
        ({"ID": ""}, "ID is ''; it should be the deployment's id"),
        ({"ID": "d bad"}, "d-abc234def567"),
        ({"STACK": " "}, "STACK is not set"),
        ({"DECISION": "reject"}, "REASON is not set"),
        ({"DECISION": "reject", "REASON": " "}, "REASON is not set"),
        ({"REASON": "x" * 501}, "REASON has 501 characters; it may have 500."),
        ({"BY": "x" * 81}, "BY has 81 characters; it may have 80."),
    ],
)
def test_a_mistake_is_named_as_it_was_typed_and_nothing_is_recorded(
    change: dict[str, str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator, "main", lambda _: pytest.fail("something was recorded"))
    assert decide.main({**GOOD, **change}) == 2
    said = capsys.readouterr().err
    assert said.startswith("Nothing was recorded. ")
    assert says in said
    assert "--" not in said


def test_the_words_reach_the_operators_command_whatever_they_begin_with() -> None:
    chosen = decide.words({**GOOD, "DECISION": "reject", "BY": "Lee", "REASON": "--stack of cards; $(no) 'shell'"})
    asked = operator._arguments(chosen)
    assert (asked.action, asked.deployment_id, asked.stack, asked.by) == (
        "reject",
        GOOD["ID"],
        "platform-deploy",
        "Lee",
    )
    assert asked.reason == "--stack of cards; $(no) 'shell'"


def test_the_local_runs_table_needs_no_stack() -> None:
    assert decide.words({"DECISION": "cancel", "ID": "d-abc234def567", "CHATOPS_TABLE": "t"}) == ["cancel", GOOD["ID"]]


def test_make_hands_them_on() -> None:
    done = subprocess.run(
        ["make", "-s", "decide", "DECISION=approve", "ID=d-abc234def567"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "STACK is not set; it should hold the name of the bot's stack." in done.stderr
