"""slack-manifest.yaml: valid for Slack, and in step with what the bot does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
import yaml

from fakes.slack.methods import METHODS
from scripts import manifest as made_manifest
from tests.unit.stack_session import CloudFormation, outputs

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT.parent / "shared" / "schemas" / "slack-manifest.schema.json"
URL = "https://YOUR-API-ID.execute-api.YOUR-REGION.amazonaws.com/prod/slack/events"


@pytest.fixture(scope="module")
def manifest() -> Any:
    return yaml.safe_load((ROOT / "slack-manifest.yaml").read_text("utf-8"))


def wrong(manifest: Any) -> list[str]:
    """What Slack's published schema says is wrong."""
    if not SCHEMA.is_file():
        pytest.skip(f"Slack's manifest schema is not at {SCHEMA}")
    schema = json.loads(SCHEMA.read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


def test_it_is_valid_by_slacks_published_schema(manifest: Any) -> None:
    assert wrong(manifest) == []


MADE = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod/slack/events"


def test_with_a_stacks_address_in_it_it_is_the_same_and_valid(manifest: Any) -> None:
    assert made_manifest.PLACEHOLDER == URL
    text = made_manifest.manifest(MADE)
    assert text.startswith("_metadata:"), "no instructions for what is filled in"
    assert text.count(MADE) == 4
    found = yaml.safe_load(text)
    assert json.dumps(found).replace(MADE, URL) == json.dumps(manifest)
    assert json.loads(made_manifest.manifest(MADE, "json")) == found
    link = urlsplit(made_manifest.manifest(MADE, "link").strip())
    assert (link.scheme, link.netloc, link.path) == ("https", "api.slack.com", "/apps")
    query = parse_qs(link.query, strict_parsing=True)
    assert query["new_app"] == ["1"]
    assert json.loads(query["manifest_json"][0]) == found
    assert wrong(found) == []


def test_it_is_printed_for_a_stack(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stacks = CloudFormation({"platform-deploy": outputs(SlackRequestUrl=MADE), "other": {}})
    monkeypatch.setattr(made_manifest.boto3, "client", {"cloudformation": stacks}.__getitem__)
    assert made_manifest.main([], {}) == 0
    assert capsys.readouterr().out == made_manifest.manifest(MADE)
    for arguments, said in (
        (["--stack", "other"], "no output SlackRequestUrl"),
        (["--stack", "none"], "There is no stack none in eu-west-1"),
        (["--format", "toml"], "FORMAT should be one of"),
        (["--url", "http://bot.example/slack"], "is no request URL"),
        (["--url", "https://bot.example/a b"], "is no request URL"),
    ):
        assert made_manifest.main(arguments, {}) == 1
        shown = capsys.readouterr()
        assert (shown.out, said in shown.err) == ("", True)
    stacks.refuses = "ExpiredToken"
    assert made_manifest.main([], {}) == 1
    assert "Sign in" in capsys.readouterr().err
    assert made_manifest.main(["--url", MADE, "--format", "json"], {}) == 0, "nobody is asked"


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
