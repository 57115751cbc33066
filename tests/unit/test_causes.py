"""The reason in an error that the state machine caught."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatops.domain import errors
from chatops.domain.causes import reason_of
from chatops.domain.reason import Reason
from chatops.messages.catalogue import say


def caught(name: str, text: str) -> dict[str, Any]:
    """As Step Functions hands on what a function raised."""
    return {"Error": name, "Cause": json.dumps({"errorMessage": text, "errorType": name, "stackTrace": []})}


def raised(error: Exception) -> dict[str, Any]:
    return caught(type(error).__name__, str(error))


def test_no_error_has_no_reason() -> None:
    assert reason_of(None) is reason_of({}) is None


def test_an_error_that_explains_itself_brings_its_reason() -> None:
    refused = errors.GitHubRefused(403, "acme/shop", "Resource not accessible\nby personal access token")
    assert reason_of(raised(refused)) == Reason(
        "github_403", status=403, repository="acme/shop", said="Resource not accessible\nby personal access token"
    )


@pytest.mark.parametrize(("status", "key"), [(301, "github_moved"), (404, "github_404"), (422, "github_refused")])
def test_each_refusal_of_github_has_its_text(status: int, key: str) -> None:
    found = reason_of(raised(errors.GitHubRefused(status, "acme/shop", "no")))
    assert found is not None
    assert found.key == key


def test_our_other_errors_are_introduced_and_keep_their_reason() -> None:
    gone = errors.ServiceRefused("ecs_unknown", service="api", cluster="shop")
    assert gone.text == "ECS has no service api in cluster shop."
    assert reason_of(raised(gone)) == Reason("why_error", said=gone.reason)
    assert say("why_error", said=gone.reason) == ("Something went wrong: ECS has no service api in cluster shop.")


def test_one_of_our_errors_without_a_reason_shows_its_text() -> None:
    assert reason_of(caught("TargetBusy", "Held.")) == Reason("why_error", said="Held.")


def test_a_key_that_no_catalogue_has_is_shown_as_it_is() -> None:
    """As another version of this bot wrote it."""
    foreign = Reason.from_json({"key": "A newer reason.", "values": {"x": 1}})
    assert say("why_error", said=foreign) == "Something went wrong: A newer reason."


def test_of_other_errors_only_the_name_is_shown_for_their_text_may_hold_anything() -> None:
    assert reason_of(caught("KeyError", "xoxb-secret")) == Reason("why_error", said="KeyError")


@pytest.mark.parametrize("line", ['{"key": 1', "[]", "{}", '"text"', '{"values": {}}'])
def test_a_last_line_that_is_not_a_reason_is_text(line: str) -> None:
    assert reason_of(caught("ServiceRefused", f"no\n{line}")) == Reason("why_error", said=f"no\n{line}")


@pytest.mark.parametrize("step", ["", "Plan"])
def test_an_error_without_a_name_is_unknown(step: str) -> None:
    for error in ({"Error": None, "Cause": "x"}, {"Error": "", "Cause": "x"}, {"Cause": "x"}):
        assert "None" not in str(reason_of(error, step))
        assert "unknown" in str(reason_of(error, step))


@pytest.mark.parametrize("cause", [None, "not JSON", "[]", '{"errorMessage": null}'])
def test_an_unreadable_cause_leaves_the_name(cause: Any) -> None:
    assert reason_of({"Error": "States.Timeout", "Cause": cause}) == Reason("why_error", said="States.Timeout")


def test_a_reason_survives_json_with_the_reasons_inside_it() -> None:
    reason = Reason("why_error", said=Reason("ecs_unknown", service="api", cluster=Reason("unknown")))
    assert Reason.from_json(json.loads(json.dumps(reason.as_json()))) == reason
