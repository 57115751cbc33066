"""The execution's input, from Slack or typed into the console: checked before it is believed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatops.domain import release
from chatops.domain.errors import Refusal
from chatops.domain.release import Release
from chatops.domain.request import Request, read, where, with_version
from chatops.domain.target import Target
from chatops.messages.catalogue import plain

KNOWN = {name: Target(name, "acme/x", f"{name}_deploy") for name in ("dev", "prod")}
TWO = dict.fromkeys(("stage", "prod"), KNOWN["dev"])


def refused(source: Any, known: dict[str, Target] = KNOWN) -> tuple[str, dict[str, Any]]:
    with pytest.raises(Refusal) as caught:
        read(source, known)
    assert "{" not in plain(caught.value.key, caught.value.values).replace('{"command"', "")
    return caught.value.key, caught.value.values


def test_a_command_and_a_version_are_enough() -> None:
    assert read({"command": "deploy", "version": "v1.2.3"}, KNOWN) == Request("deploy", "v1.2.3", "dev")


def test_all_of_it_is_read() -> None:
    hook = "https://hooks.slack.com/commands/1/2"
    typed = {"command": "rollback", "version": "v1", "target": "PROD", "reason": " slow ", "dry_run": True}
    sent = {"requester": {"id": "U0DANA001", "name": "dana"}, "channel": "C0DEPLOY1", "response_url": hook}
    what = ("rollback", "v1", "prod", "slow", True)
    wanted = Request(*what, "U0DANA001", "dana", "C0DEPLOY1", hook, "d-abc")
    assert read({"schema": 1, **typed, **sent, "card": "d-abc", "something else": 1}, KNOWN) == wanted


@pytest.mark.parametrize("source", [None, [], "deploy", 1])
def test_what_is_no_object_is_refused_with_an_example(source: Any) -> None:
    assert refused(source)[0] == "not_an_object"


@pytest.mark.parametrize("command", ["destroy", "Deploy", "deploy; rm"])
def test_an_unknown_command_is_refused_with_those_that_are_known(command: str) -> None:
    key, values = refused({"command": command})
    assert (key, values["word"], values["known"]) == ("unknown_command", command, "deploy, rollback, status, history")
    assert refused({})[0] == "no_command"
    assert refused({"command": ""})[0] == "no_command"


@pytest.mark.parametrize("field", ["command", "version", "target", "reason", "card"])
def test_a_field_that_should_be_a_text_is_named(field: str) -> None:
    for value in (1, ["v1"], {"a": 1}, True):
        assert refused({"command": "deploy", field: value}) == ("not_a_text", {"field": field})
    assert read({"command": "deploy", **({field: None} if field != "command" else {})}, KNOWN).command == "deploy"


@pytest.mark.parametrize(
    ("field", "limit"), [("command", 20), ("version", 300), ("target", 64), ("reason", 500), ("card", 80)]
)
def test_a_text_that_is_too_long_is_named_with_its_limit(field: str, limit: int) -> None:
    key, values = refused({"command": "deploy", field: "x" * (limit + 1)})
    assert (key, values) == ("too_long", {"field": field, "count": limit + 1, "limit": limit})


@pytest.mark.parametrize("version", ["$(reboot)", "v1\nv2", "a b", "v1'x", "x" * 300, "../x", "-v"])
def test_a_version_outside_the_allow_list_is_refused(version: str) -> None:
    key, values = refused({"command": "deploy", "version": version})
    assert key == "bad_version"
    assert len(values["word"]) <= 80


def test_a_target_is_the_one_that_is_meant_or_refused() -> None:
    assert refused({"command": "deploy", "target": "prdo"}) == ("unknown_target", {"word": "prdo", "meant": "prod"})
    assert refused({"command": "deploy", "target": "qqq"})[0] == "unknown_word"
    assert refused({"command": "deploy"}, TWO) == ("which_target", {"targets": "stage, prod"})


def test_a_dry_run_is_true_or_false_and_nothing_like_it() -> None:
    """`"false"` must not become a dry run, nor `"true"` a real one."""
    for value in ("true", "false", 1, 0, None):
        assert refused({"command": "deploy", "dry_run": value}) == ("not_a_boolean", {"field": "dry_run"})


def test_ids_that_slack_would_not_have_sent_are_left_out() -> None:
    found = read(
        {"command": "deploy", "requester": "<!channel>", "channel": "C1|x", "response_url": "file:///etc/passwd"}, KNOWN
    )
    assert (found.requester, found.channel, found.response_url) == ("", "", "")
    assert read({"command": "deploy", "requester": "U0DANA001"}, KNOWN).requester == "U0DANA001"
    assert read({"command": "deploy", "requester": {"id": 1, "name": 2}}, KNOWN).requester_name == ""


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["command", "version", "target", "reason", "dry_run", "requester", "channel", "response_url", "card"]
nearly = st.dictionaries(st.sampled_from(FIELDS), anything | st.sampled_from(["deploy", "prod", "v1"]), max_size=9)


@settings(max_examples=150, deadline=None)
@given(anything | nearly)
def test_whatever_is_typed_is_a_request_or_refused_in_words(source: Any) -> None:
    def understood() -> str:
        try:
            return read(source, KNOWN).target
        except Refusal as refusal:
            return plain(refusal.key, refusal.values)

    where(source)
    assert understood()


@pytest.mark.parametrize(
    ("reason", "version", "rest"),
    [
        ("v2 of the api is broken", "", "v2 of the api is broken"),
        ("v1.2.2 is good enough", "v1.2.2", "is good enough"),
        ("`1.2.2`, please", "v1.2.2", "please"),
    ],
)
def test_a_reason_begins_with_the_version_if_the_ledger_has_such_a_release(
    reason: str, version: str, rest: str
) -> None:
    ledger = [Release("v1.2.3"), Release("v1.2.2")]
    unsure = Request("rollback", reason=reason, version_in_reason=True)
    found = with_version(unsure, ledger)
    named = release.named(ledger, found.version)
    assert (named.version if named else "", found.reason) == (version, rest)
    assert with_version(Request("rollback", reason=reason), ledger).version == ""
