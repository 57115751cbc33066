"""The fake's table of methods is Slack's own description of them, and the fake refuses what Slack does not read."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
import requests
from slack_sdk import WebClient

from doctor.clients import SLACK
from fakes.faults import Fault
from fakes.slack import Slack, methods, web_api
from fakes.slack.directory import C_DEPLOY, S_APPROVERS, U_DEV
from fakes.slack.web_api import FORM, JSON
from tests import misread
from tests.contract.slack_words import modal

DESCRIPTION = Path(__file__).resolve().parents[3] / "shared" / "schemas" / "slack-web-api.json"
CALLED = {"chat.postMessage", "chat.update", "chat.postEphemeral", "conversations.members", "views.open", *SLACK}
"""What the product and the doctor call; test_slack_calls.py makes each call."""


@pytest.fixture
def misused(slack: Slack) -> Any:
    """The fake, for requests that Slack does not read as they were meant."""
    yield slack
    slack.misread.clear()


def post(slack: Slack, method: str, body: Any, kind: str = "", **headers: str) -> dict[str, Any]:
    """One POST as it is, with the bot's token in its header unless `headers` says otherwise."""
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    sent = {"Authorization": "Bearer xoxb-local", "Content-Type": kind, **headers}
    answer = requests.post(slack.api_url + method, data, headers=sent, timeout=5)
    found: dict[str, Any] = answer.json()
    return found


def described() -> dict[str, Any]:
    if not DESCRIPTION.is_file():
        pytest.skip(f"Slack's description of its methods is not at {DESCRIPTION}")
    paths = json.loads(DESCRIPTION.read_text("utf-8"))["paths"]
    return {name.removeprefix("/"): verbs for name, verbs in paths.items()}


@pytest.mark.parametrize("name", sorted(web_api.METHODS))
def test_the_table_is_slacks_own_description(name: str) -> None:
    ((verb, slacks),) = described()[name].items()
    ours = web_api.raw()[name]
    parameters = {one["name"]: bool(one.get("required")) for one in slacks["parameters"] if one["name"] != "token"}
    answers = slacks["responses"].get("default", {}).get("schema", {}).get("properties", {})
    assert (ours["verb"], ours["consumes"]) == (verb, slacks["consumes"])
    assert {**dict.fromkeys(ours["required"], True), **dict.fromkeys(ours["optional"], False)} == parameters
    assert set(ours["errors"]) == set(answers.get("error", {}).get("enum") or ())


def test_what_is_newer_names_its_source_and_is_newer() -> None:
    table = web_api.raw()
    assert table.pop("every method")["source"].startswith("https://docs.slack.dev/")
    for name, one in table.items():
        newer = one.get("newer", {"source": web_api.PAGE + name})
        assert newer["source"] == web_api.PAGE + name
        assert set(newer.get("errors", ())) & set(one["errors"]) == set(), name
        assert set(newer.get("parameters", ())) & {*one["required"], *one["optional"]} == set(), name
        assert all(source.startswith("https://") for source in newer.get("observed", {}).values())


def test_every_method_of_the_table_is_there_and_slack_sdk_has_it_with_the_same_parameters() -> None:
    assert set(methods.METHODS) == set(web_api.METHODS) >= CALLED
    for name, method in web_api.METHODS.items():
        known = inspect.signature(getattr(WebClient, name.replace(".", "_"))).parameters
        assert set(method.required) <= {*known, "as_user"}, name


ARGUMENTS: dict[str, dict[str, str]] = {
    "users.info": {"user": U_DEV},
    "conversations.info": {"channel": C_DEPLOY},
    "conversations.members": {"channel": C_DEPLOY},
    "usergroups.users.list": {"usergroup": S_APPROVERS},
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_reading_method_ignores_a_json_body(misused: Slack, name: str) -> None:
    """As if nothing had been said: https://github.com/kortix-ai/suna/pull/6616"""
    answer = post(misused, name, ARGUMENTS[name], f"{JSON};charset=utf-8")
    assert answer["error"] == ("user_not_found" if name == "users.info" else "invalid_arguments")
    assert f"{name}: a body of application/json is not read" in misused.misread


def test_a_request_that_slack_does_not_read_fails_the_test_that_made_it(slack: Slack) -> None:
    post(slack, "users.info", ARGUMENTS["users.info"], JSON)
    with pytest.raises(AssertionError, match=r"users\.info: a body of application/json is not read"):
        misread.check()
    misread.check()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_reading_method_reads_the_query_and_a_form(slack: Slack, web: WebClient, name: str) -> None:
    headers = {"Authorization": "Bearer xoxb-local"}
    assert requests.get(slack.api_url + name, ARGUMENTS[name], headers=headers, timeout=5).json()["ok"]
    assert requests.post(slack.api_url + name, ARGUMENTS[name], headers=headers, timeout=5).json()["ok"]
    assert getattr(web, name.replace(".", "_"))(**ARGUMENTS[name])["ok"]
    assert slack.misread == []


@pytest.mark.parametrize("name", [name for name, one in web_api.METHODS.items() if one.verbs == {"POST"}])
def test_a_writing_method_is_not_called_by_get(misused: Slack, name: str) -> None:
    arguments = {"channel": C_DEPLOY, "text": "x", "ts": "1.1", "user": U_DEV}
    headers = {"Authorization": "Bearer xoxb-local"}
    assert requests.get(misused.api_url + name, arguments, headers=headers, timeout=5).json()["ok"] is False
    assert requests.put(misused.api_url + name, arguments, headers=headers, timeout=5).json()["ok"] is False
    assert (misused.messages, len(misused.misread)) == ([], 2)


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        ("channel=C0DEPLOY1&text=x", "", "missing_post_type"),
        ("channel=C0DEPLOY1&text=x", "text/html", "invalid_post_type"),
        ("channel=C0DEPLOY1&text=x", f"{FORM}; charset=koi8-r", "invalid_charset"),
        ("channel[0]=C0DEPLOY1&text=x", FORM, "invalid_array_arg"),
        ('{"channel": ["C0DEPLOY1"], "text": "x"}', JSON, "invalid_array_arg"),
        ("channel=C0DEPLOY1&te.xt=x", FORM, "invalid_arg_name"),
        ('["C0DEPLOY1"]', JSON, "json_not_object"),
        ("{", JSON, "invalid_json"),
        ("channel=C0DEPLOY1&text=x", "text/plain", "invalid_arguments"),
        ('{"text": "x"}', JSON, "invalid_arguments"),
    ],
)
def test_a_request_that_slack_cannot_read_has_its_error(misused: Slack, body: str, kind: str, error: str) -> None:
    answer = post(misused, "chat.postEphemeral", body, kind)
    assert (answer["ok"], answer["error"]) == (False, error)
    assert misused.misread
    assert misused.messages == []


def test_an_argument_that_is_there_and_empty_is_looked_for(slack: Slack) -> None:
    """Only what is absent is `invalid_arguments`: https://github.com/brekkylab/backlot/issues/84"""
    assert post(slack, "conversations.info", "channel=", FORM)["error"] == "channel_not_found"
    assert post(slack, "chat.postMessage", "channel=&text=x", FORM)["error"] == "channel_not_found"


@pytest.mark.parametrize("name", sorted(web_api.METHODS))
def test_every_method_answers_whatever_it_is_sent(misused: Slack, name: str) -> None:
    """With an error word that it has, and never with the fake's own breakdown."""
    shapes = [None, 7, True, "x", [], {}, [None], ["x"], [[]], {"type": "modal", "blocks": 7}]
    shapes += [[{"type": "divider", "elements": None}], [{"type": "divider", "block_id": ["x"]}], [{"type": ["a"]}]]
    shapes += [[{"type": "actions", "elements": [None, {"type": "button", "action_id": {}}]}]]
    assert post(misused, name, {}, JSON, Authorization="Bearer xoxb-other")["error"] == "invalid_auth"
    for shape in shapes:
        said = {**dict.fromkeys(web_api.METHODS[name].parameters, shape), "channel": C_DEPLOY, "user": U_DEV}
        assert isinstance(post(misused, name, said, f"{JSON};charset=utf-8")["ok"], bool)
    assert [line for line in misused.misread if "has no error" in line] == []
    assert [message.buttons for message in misused.messages if message.buttons] == []


def test_the_token_comes_in_the_header_or_in_a_form(misused: Slack) -> None:
    said = {"channel": C_DEPLOY, "text": "x"}
    assert post(misused, "chat.postMessage", "channel=C0DEPLOY1&text=x&token=xoxb-local", FORM, Authorization="")["ok"]
    assert misused.misread == []
    in_json = post(misused, "chat.postMessage", {**said, "token": "xoxb-local"}, JSON, Authorization="")
    assert in_json["error"] == "not_authed"
    in_query = post(misused, "chat.postMessage?token=xoxb-local", said, JSON, Authorization="")
    assert in_query["error"] == "not_authed"
    assert post(misused, "chat.postMessage", said, JSON, Authorization="xoxb-local")["error"] == "not_authed"


def test_a_charset_is_wanted_of_json_and_of_a_form_is_not(misused: Slack) -> None:
    answer = post(misused, "chat.postMessage", {"channel": C_DEPLOY, "text": "x"}, JSON)
    assert (answer["ok"], answer["warning"]) == (True, "missing_charset")
    assert answer["response_metadata"]["warnings"] == ["missing_charset"]
    answer = post(misused, "users.info", f"user={U_DEV}", f"{FORM}; charset=utf-8")
    assert (answer["ok"], answer["warning"]) == (True, "superfluous_charset")


def test_structures_come_as_json_and_in_a_form_as_its_text(slack: Slack) -> None:
    trigger = slack.space.tickets.trigger(U_DEV)
    blocks, view = [{"type": "divider"}], modal()
    sent = {"channel": C_DEPLOY, "text": "x", "blocks": json.dumps(blocks), "unfurl_links": "0"}
    headers = {"Authorization": "Bearer xoxb-local"}
    assert requests.post(slack.api_url + "chat.postMessage", sent, headers=headers, timeout=5).json()["ok"]
    form = {"trigger_id": trigger, "view": json.dumps(view)}
    assert requests.post(slack.api_url + "views.open", form, headers=headers, timeout=5).json()["ok"]
    wrong = {**sent, "blocks": "[{"}
    answer = requests.post(slack.api_url + "chat.postMessage", wrong, headers=headers, timeout=5).json()
    assert answer["error"] == "invalid_blocks_format"
    assert [one["type"] for one in slack.messages[0].blocks] == ["divider"]


def test_an_argument_that_the_method_does_not_have_is_noted(misused: Slack, web: WebClient) -> None:
    assert web.users_info(user=U_DEV, people="x")["ok"]
    assert misused.misread == ["users.info: there is no parameter people"]


def test_the_fake_answers_no_error_word_that_the_method_does_not_have(misused: Slack) -> None:
    with pytest.raises(ValueError, match="has the error message_not_found"):
        misused.faults.append(Fault("users\\.info", 200, "message_not_found"))
    misused.faults.append(Fault(".*", 200, "edit_window_closed"))  # chat.update has it
    headers = {"Authorization": "Bearer xoxb-local"}
    answer = requests.post(misused.api_url + "users.info", {"user": U_DEV}, headers=headers, timeout=5)
    assert answer.status_code == 500
    assert misused.misread == ["users.info: Slack has no error edit_window_closed for it"]
