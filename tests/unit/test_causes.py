"""What a caught error says to people."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatops import errors
from chatops.causes import words
from chatops.messages.catalogue import say


def caught(name: str, said: str) -> dict[str, Any]:
    """As Step Functions hands on what a function raised."""
    return {"Error": name, "Cause": json.dumps({"errorMessage": said, "errorType": name, "stackTrace": []})}


def raised(error: Exception) -> dict[str, Any]:
    return caught(type(error).__name__, str(error))


def test_no_error_says_nothing() -> None:
    assert words(None) == words({}) == {}


def test_an_error_with_words_of_its_own_brings_them() -> None:
    refused = errors.GitHubRefused(403, "acme/shop", "Resource not accessible\nby personal access token")
    values = {"status": 403, "repository": "acme/shop", "said": "Resource not accessible\nby personal access token"}
    assert words(raised(refused)) == {"key": "github_403", "values": values}


@pytest.mark.parametrize(("status", "key"), [(301, "github_moved"), (404, "github_404"), (422, "github_refused")])
def test_each_refusal_of_github_has_its_text(status: int, key: str) -> None:
    assert words(raised(errors.GitHubRefused(status, "acme/shop", "no")))["key"] == key


def test_our_own_errors_bring_words_for_every_language() -> None:
    gone = errors.ServiceRefused("ecs_unknown", service="api", cluster="shop")
    assert gone.text == "ECS knows no service api in cluster shop."
    assert words(raised(gone)) == {"key": "why_error", "values": {"said": gone.words}}
    assert say("why_error", said=gone.words) == (
        "A step did not get through: ECS knows no service api in cluster shop."
    )


def test_an_error_without_words_shows_its_text() -> None:
    """As the version before raised them: executions under way may still carry one."""
    assert words(caught("ServiceRefused", "ECS is away.")) == {"key": "why_error", "values": {"said": "ECS is away."}}
    assert say("why_error", said=errors.ServiceRefused("ECS is away.").words) == (
        "A step did not get through: ECS is away."
    )


def test_of_other_errors_only_the_name_is_shown_for_nobody_knows_what_their_text_holds() -> None:
    said = words(caught("KeyError", "xoxb-secret"))
    assert said == {"key": "why_error", "values": {"said": "KeyError"}}


def test_what_looks_like_words_but_is_none_is_text() -> None:
    said = words(caught("ServiceRefused", 'no\n{"key": 1'))
    assert said["key"] == "why_error"


@pytest.mark.parametrize("step", ["", "Plan"])
def test_an_error_without_a_name_is_unknown(step: str) -> None:
    for error in ({"Error": None, "Cause": "x"}, {"Error": "", "Cause": "x"}, {"Cause": "x"}):
        assert "None" not in str(words(error, step))
        assert "unknown" in str(words(error, step))


@pytest.mark.parametrize("cause", [None, "not JSON", "[]", '{"errorMessage": null}'])
def test_an_unreadable_cause_leaves_the_name(cause: Any) -> None:
    said = words({"Error": "States.Timeout", "Cause": cause})
    assert said == {"key": "why_error", "values": {"said": "States.Timeout"}}
