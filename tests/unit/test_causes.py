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


@pytest.mark.parametrize(
    ("status", "key"), [(301, "github_moved"), (403, "github_403"), (404, "github_404"), (422, "github_refused")]
)
def test_an_error_that_explains_itself_brings_its_reason(status: int, key: str) -> None:
    said = "Resource not accessible\nby personal access token"
    found = reason_of(raised(errors.GitHubRefused(status, "acme/shop", said)))
    assert found is not None
    assert (found.key, found.values) == (key, {"status": status, "repository": "acme/shop", "said": said})


def test_our_other_errors_are_introduced_and_keep_their_reason() -> None:
    gone = errors.ServiceRefused("ecs_unknown", service="api", cluster="shop")
    assert reason_of(raised(gone)) == Reason("why_error", said=gone.reason)
    assert say("why_error", said=gone.reason) == "Something went wrong: ECS has no service api in cluster shop."
    # a key that no catalogue has, as another version of this bot wrote it, is shown as it is
    foreign = Reason.from_json({"key": "A newer reason.", "values": {"x": 1}})
    assert say("why_error", said=foreign) == "Something went wrong: A newer reason."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (caught("TargetBusy", "Held."), "Held."),
        # of others only the name is shown, for their text may hold anything
        (caught("KeyError", "xoxb-secret"), "KeyError"),
        *(
            ({"Error": "States.Timeout", "Cause": cause}, "States.Timeout")
            for cause in (None, "not JSON", "[]", '{"errorMessage": null}')
        ),
    ],
)
def test_an_error_without_a_reason_shows_its_text_if_it_is_ours_and_else_its_name(
    error: dict[str, Any], said: str
) -> None:
    assert reason_of(error) == Reason("why_error", said=said)


@pytest.mark.parametrize("line", ['{"key": 1', "[]", "{}", '"text"', '{"values": {}}'])
def test_a_last_line_that_is_not_a_reason_is_text(line: str) -> None:
    assert reason_of(caught("ServiceRefused", f"no\n{line}")) == Reason("why_error", said=f"no\n{line}")


@pytest.mark.parametrize("step", ["", "Plan"])
def test_an_error_without_a_name_is_unknown_and_none_has_no_reason(step: str) -> None:
    assert reason_of(None, step) is reason_of({}, step) is None
    for error in ({"Error": None, "Cause": "x"}, {"Error": "", "Cause": "x"}, {"Cause": "x"}):
        assert "None" not in str(reason_of(error, step))
        assert "unknown" in str(reason_of(error, step))


def test_a_reason_survives_json_with_the_reasons_inside_it() -> None:
    reason = Reason("why_error", said=Reason("ecs_unknown", service="api", cluster=Reason("unknown")))
    assert Reason.from_json(json.loads(json.dumps(reason.as_json()))) == reason
