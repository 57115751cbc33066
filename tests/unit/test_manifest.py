"""slack-manifest.yaml: valid for Slack, and in step with what the bot does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fakes.slack.methods import METHODS

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT.parent / "shared" / "schemas" / "slack-manifest.schema.json"
URL = "https://YOUR-API-ID.execute-api.YOUR-REGION.amazonaws.com/prod/slack/events"


@pytest.fixture(scope="module")
def manifest() -> Any:
    return yaml.safe_load((ROOT / "slack-manifest.yaml").read_text("utf-8"))


def test_it_is_valid_by_slacks_published_schema(manifest: Any) -> None:
    if not SCHEMA.is_file():
        pytest.skip(f"Slack's manifest schema is not at {SCHEMA}")
    schema = json.loads(SCHEMA.read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)] == []


def test_the_three_commands_have_hints_escape_mentions_and_share_one_address(manifest: Any) -> None:
    commands = {one["command"]: one for one in manifest["features"]["slash_commands"]}
    assert list(commands) == ["/platform-deploy", "/platform-status", "/platform-rollback"]
    for one in commands.values():
        assert one["url"] == URL
        assert one["should_escape"] is True
        assert one["usage_hint"]
        assert one["description"]
    assert commands["/platform-deploy"]["usage_hint"].startswith("[version] [target] [--dry-run]")
    assert commands["/platform-rollback"]["usage_hint"] == "[version] [target] [--dry-run] [reason…]"


def test_buttons_and_modals_go_to_the_same_address(manifest: Any) -> None:
    assert manifest["settings"]["interactivity"] == {"is_enabled": True, "request_url": URL}
    assert manifest["settings"]["socket_mode_enabled"] is False


def test_the_address_is_a_route_of_the_stack(manifest: Any) -> None:
    path = re.sub(r"^https://[^/]+/prod", "", manifest["settings"]["interactivity"]["request_url"])
    assert re.search(rf"Path:\s*[\"']?{path}[\"']?\s*$", (ROOT / "template.yaml").read_text("utf-8"), re.MULTILINE)


def test_it_asks_for_the_least_scopes_and_for_no_events(manifest: Any) -> None:
    """Each scope with the one thing that needs it; nothing is asked of users."""
    scopes = manifest["oauth_config"]["scopes"]
    assert scopes == {
        "bot": ["commands", "chat:write", "users:read", "channels:read", "groups:read", "usergroups:read"]
    }
    assert "event_subscriptions" not in manifest["settings"]


def test_its_scopes_cover_every_method_of_the_web_api_that_the_bot_calls(manifest: Any) -> None:
    called = set()
    for path in (ROOT / "lambdas").rglob("*.py"):
        called |= set(
            re.findall(r"\"((?:chat|users|usergroups|conversations|views)\.[\w.]+)\"", path.read_text("utf-8"))
        )
    needed = {METHODS[name][0] for name in called if name in METHODS} - {""}
    assert needed <= set(manifest["oauth_config"]["scopes"]["bot"])
