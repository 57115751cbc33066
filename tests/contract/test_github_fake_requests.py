"""How the GitHub fake treats requests: tokens, limits, conditional requests, faults."""

from __future__ import annotations

import threading

import pytest
import requests
from werkzeug.serving import make_server
from werkzeug.test import Client, TestResponse

from fakes.github import Fault, GitHub

REPO = "/repos/acme/checkout-api"
AUTH = {"Authorization": "Bearer ghp_local", "User-Agent": "tests"}


def get(client: Client, path: str, **headers: str) -> TestResponse:
    """GET below the repository with a good token."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(f"{REPO}{path}", headers=AUTH | extra)


def dispatch(client: Client, body: object) -> TestResponse:
    """POST a repository_dispatch with a good token."""
    return client.post(f"{REPO}/dispatches", json=body, headers=AUTH)


# -- tokens ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["Bearer ghp_local", "bearer ghp_local", "token ghp_local"])
def test_a_known_token_is_accepted(client: Client, header: str) -> None:
    assert client.get(REPO, headers={"Authorization": header, "User-Agent": "t"}).status_code == 200


@pytest.mark.parametrize("header", ["Bearer ghp_other", "Basic ghp_local", "ghp_local", "Bearer"])
def test_any_other_token_is_bad_credentials(client: Client, header: str) -> None:
    response = client.get(REPO, headers={"Authorization": header, "User-Agent": "t"})
    assert response.status_code == 401
    assert response.json == {
        "message": "Bad credentials",
        "documentation_url": "https://docs.github.com/rest",
        "status": "401",
    }


def test_no_token_and_no_user_agent_are_refused(client: Client) -> None:
    assert client.get(REPO, headers={"User-Agent": "t"}).status_code == 401
    assert client.get(REPO, headers={"Authorization": "Bearer ghp_local", "User-Agent": ""}).status_code == 403


def test_a_read_only_token_reads_but_does_not_dispatch(client: Client, github: GitHub) -> None:
    github.tokens, github.read_only_tokens = set(), {"ghp_local"}
    assert get(client, "/tags").status_code == 200
    refused = dispatch(client, {"event_type": "dev_deploy"})
    assert refused.status_code == 403
    assert refused.json is not None
    assert refused.json["message"] == "Resource not accessible by personal access token"
    assert "retry-after" not in refused.headers


def test_an_unknown_or_hidden_repository_is_not_found(client: Client, github: GitHub) -> None:
    assert client.get("/repos/acme/other", headers=AUTH).status_code == 404
    github.default_repository.hidden = True
    response = dispatch(client, {"event_type": "dev_deploy"})
    assert response.status_code == 404
    assert response.json is not None
    assert response.json["documentation_url"].endswith("/repos/repos#create-a-repository-dispatch-event")


# -- what a dispatch may say -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, '"event_type" wasn\'t supplied.'),
        ({"event_type": ""}, "At least 1 character is required; only 0 were supplied."),
        ({"event_type": "x" * 101}, "Only 100 characters are allowed; 101 were supplied."),
        ({"event_type": 1}, "For 'properties/event_type', 1 is not a string."),
        (
            {"event_type": "x", "client_payload": {str(n): n for n in range(11)}},
            "No more than 10 properties are allowed; 11 were supplied.",
        ),
        (
            {"event_type": "x", "client_payload": "{}"},
            "For 'properties/client_payload', \"{}\" is not an object.",
        ),
        ({"event_type": "x", "client_payload": {"a": "x" * 65_536}}, "client_payload is too large"),
        ({"event_type": "x", "ref": "main"}, '"ref" is not a permitted key.'),
        ([], "For 'links/0/schema', [] is not an object."),
    ],
)
def test_a_dispatch_beyond_the_limits_is_422_in_githubs_words(
    client: Client, github: GitHub, body: object, message: str
) -> None:
    response = dispatch(client, body)
    assert response.status_code == 422
    assert response.json is not None
    assert message in response.json["message"]
    assert response.json["status"] == "422"
    assert github.settle()
    assert github.runs == []


def test_a_dispatch_at_the_limits_is_204_without_a_body(client: Client, github: GitHub) -> None:
    payload = {"stage": "build"} | {str(n): n for n in range(9)}
    del github.default_repository.files["main"]  # nobody says what listens there, so anything does
    response = dispatch(client, {"event_type": "x" * 100, "client_payload": payload})
    assert (response.status_code, response.get_data()) == (204, b"")
    assert "Content-Type" not in response.headers
    assert github.settle()
    assert [run.payload for run in github.runs] == [payload]


def test_broken_json_is_400(client: Client) -> None:
    response = client.post(f"{REPO}/dispatches", data="{", headers=AUTH)
    assert (response.status_code, response.json and response.json["message"]) == (
        400,
        "Problems parsing JSON",
    )


# -- rate limit and conditional requests -------------------------------------------------------------------


def test_every_answer_counts_down_and_a_304_is_free(client: Client) -> None:
    first = get(client, "/tags")
    second = get(client, "/tags", If_None_Match=first.headers["ETag"])
    third = get(client, "/tags", If_None_Match='"other"')
    assert [it.status_code for it in (first, second, third)] == [200, 304, 200]
    assert [it.headers["x-ratelimit-remaining"] for it in (first, second, third)] == ["4999", "4999", "4998"]
    assert second.get_data() == b""
    assert second.headers["ETag"] == first.headers["ETag"]
    assert client.get("/nowhere", headers=AUTH).headers["x-ratelimit-limit"] == "5000"


def test_an_etag_belongs_to_its_token_and_its_state(client: Client, github: GitHub) -> None:
    tag = get(client, "/tags").headers["ETag"]
    github.tokens.add("ghp_other")
    other = client.get(f"{REPO}/tags", headers=AUTH | {"Authorization": "Bearer ghp_other", "If-None-Match": tag})
    assert other.status_code == 200
    github.move_tag("v1.2.3", github.add_commit().sha)
    assert get(client, "/tags", If_None_Match=tag).status_code == 200


def test_a_used_up_hour_is_403_until_its_reset(client: Client, github: GitHub) -> None:
    get(client, "")
    github.rate_limit.limit = 1
    response = get(client, "")
    assert response.status_code == 403
    assert response.headers["x-ratelimit-remaining"] == "0"
    assert int(response.headers["x-ratelimit-reset"]) > github.clock.now()
    assert "retry-after" not in response.headers
    assert client.get("/rate_limit", headers=AUTH).status_code == 200


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_says_how_long_to_wait(client: Client, github: GitHub, status: int) -> None:
    github.faults.append(Fault.secondary_limit("/dispatches", status=status, retry_after=7))
    assert get(client, "").status_code == 200
    limited = dispatch(client, {"event_type": "x"})
    assert (limited.status_code, limited.headers["Retry-After"]) == (status, "7")
    assert limited.json is not None
    assert "secondary rate limit" in limited.json["message"]
    assert dispatch(client, {"event_type": "x"}).status_code == 204


def test_a_minute_has_900_points_where_that_is_enforced(client: Client, github: GitHub) -> None:
    """A write has five. https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
    github.actions_enabled, github.secondary_limits.enforced = False, True
    answers = [dispatch(client, {"event_type": "x"}).status_code for _ in range(179)]
    answers += [get(client, "").status_code for _ in range(5)]
    assert set(answers) == {204, 200}
    refused = get(client, "")
    assert (refused.status_code, refused.headers["Retry-After"]) == (403, "60")
    assert (github.secondary_limits.most, github.secondary_limits.refused) == (900, 1)
    assert int(refused.headers["x-ratelimit-remaining"]) == 5000 - 184, "the hour has more"
    began = github.clock.now()
    github.clock.now = lambda: began + 61  # type: ignore[method-assign]  # the minute is over
    assert get(client, "").status_code == 200


def test_no_more_than_100_requests_are_under_way_where_that_is_enforced(client: Client, github: GitHub) -> None:
    github.secondary_limits.enforced, github.secondary_limits.open = True, 100
    assert get(client, "").status_code == 403
    github.secondary_limits.open = 99
    assert get(client, "").status_code == 200
    assert github.secondary_limits.open == 99


# -- faults ------------------------------------------------------------------------------------------------


def test_an_outage_is_503_for_everything(client: Client, github: GitHub) -> None:
    github.down = True
    assert [get(client, "").status_code, dispatch(client, {"event_type": "x"}).status_code] == [503, 503]
    github.down = False
    assert get(client, "").status_code == 200


def test_a_lost_reply_does_the_work_and_a_drop_does_not(github: GitHub) -> None:
    server = make_server("127.0.0.1", 0, github.mount, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.port}{REPO}/dispatches"
    github.faults += [
        Fault("POST", "/dispatches$", drop=True),
        Fault("POST", "/dispatches$", lose_reply=True),
    ]
    try:
        for runs in (0, 1):
            with pytest.raises(requests.ConnectionError):
                requests.post(
                    url,
                    json={"event_type": "dev_deploy", "client_payload": {"stage": "build"}},
                    headers=AUTH,
                    timeout=5,
                )
            assert github.settle()
            assert len(github.runs) == runs
    finally:
        server.shutdown()
    assert [call.status for call in github.calls] == [0, 204]


def test_a_502_may_come_after_the_work(client: Client, github: GitHub) -> None:
    github.faults.append(Fault("POST", "/dispatches$", 502, work=True))
    event = {"event_type": "dev_deploy", "client_payload": {"stage": "build"}}
    assert dispatch(client, event).status_code == 502
    assert github.settle()
    assert len(github.runs) == 1


def test_calls_are_recorded_without_secrets(client: Client, github: GitHub) -> None:
    get(client, "/tags")
    get(client, "/git/ref/tags/v9")
    assert github.calls == [("GET", f"{REPO}/tags", 200), ("GET", f"{REPO}/git/ref/tags/v9", 404)]
