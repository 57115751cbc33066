"""What the fake's webhook sends, and what the bot reads of it, against GitHub's own description of `workflow_run`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.test_github_fake_description import DESCRIPTION, as_json_schema, checker, components, description
from tests.unit.test_webhook import payload

jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DESCRIPTION.exists(), reason="make check installs GitHub's REST description"),
]
NAME = "webhook-workflow-run-completed"


def described() -> dict[str, Any]:
    return dict(description()["components"]["schemas"][NAME])


def test_a_delivery_says_nothing_that_github_does_not_say() -> None:
    schema = as_json_schema(described()) | {"components": components()}
    validator = jsonschema.Draft202012Validator(schema, format_checker=checker())
    assert [(list(error.path), error.message) for error in validator.iter_errors(payload())] == []


def test_what_the_bot_reads_is_always_there() -> None:
    whole = described()
    run = whole["properties"]["workflow_run"]
    assert {"action", "repository", "workflow_run"} <= set(whole["required"])
    assert whole["properties"]["action"]["enum"] == ["completed"]
    assert {"id", "event"} <= set(run["required"])
    assert run["properties"]["id"]["type"] == "integer"
    assert "full_name" in description()["components"]["schemas"]["repository-webhooks"]["required"]
