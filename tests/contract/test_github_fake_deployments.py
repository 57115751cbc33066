"""What the GitHub fake says of deployments and their statuses is what GitHub's description says."""

from __future__ import annotations

from typing import Any

from werkzeug.test import Client, TestResponse

from fakes.github import GitHub
from fakes.github.grants import EVERYTHING, Grant
from fakes.github.model import STATES
from tests.contract import test_github_fake_description as published
from tests.contract.test_github_fake_description import HEADERS, REPO, get

LIST, STATUSES = f"{REPO}/deployments", f"{REPO}/deployments/{{deployment_id}}/statuses"


def described(response: TestResponse, path: str, method: str = "get") -> Any:
    if published.DESCRIPTION.exists():
        published.assert_described(response, path, method)
    return response.json


def post(client: Client, path: str, body: dict[str, Any]) -> TestResponse:
    return client.post(f"/repos/acme/checkout-api/deployments{path}", json=body, headers=HEADERS)


def made(client: Client, **more: Any) -> int:
    body = {"ref": "v1.2.3", "environment": "dev", "payload": {"deployment_id": "d-1"}, **more}
    response = post(client, "", body)
    assert response.status_code == 201
    return int(described(response, LIST, "post")["id"])


def state(client: Client, number: int) -> str:
    newest = described(get(client, f"/deployments/{number}/statuses"), STATUSES)[0]
    return str(newest["state"])


def test_a_deployment_and_its_statuses_are_as_described(client: Client) -> None:
    number = made(client)
    response = post(client, f"/{number}/statuses", {"state": "queued", "log_url": "https://x.example/1"})
    assert described(response, STATUSES, "post")["target_url"] == "https://x.example/1"
    assert state(client, number) == "queued"


def test_the_states_are_the_described_ones() -> None:
    if published.DESCRIPTION.exists():
        body = published.description()["paths"][STATUSES]["post"]["requestBody"]["content"]["application/json"]
        assert set(body["schema"]["properties"]["state"]["enum"]) == STATES


def test_a_list_has_what_was_asked_for_newest_first(client: Client) -> None:
    first, second = made(client), made(client, ref="v1.3.0")
    made(client, environment="prod")
    listed = described(get(client, "/deployments?environment=dev"), LIST)
    assert [each["id"] for each in listed] == [second, first]
    listed = described(get(client, f"/deployments?environment=dev&sha={listed[0]['sha']}&task=deploy"), LIST)
    assert [each["id"] for each in listed] == [second]


def test_a_success_makes_earlier_ones_inactive_but_no_production_environment(client: Client) -> None:
    dev, failed, prod = made(client), made(client), made(client, environment="production")
    for number, said in ((dev, "success"), (failed, "failure"), (prod, "success")):
        post(client, f"/{number}/statuses", {"state": said})
    for environment in ("dev", "production"):
        number = made(client, environment=environment)
        post(client, f"/{number}/statuses", {"state": "success"})
    assert [state(client, number) for number in (dev, failed, prod)] == ["inactive", "failure", "success"]


def test_refusals_are_as_described(client: Client, github: GitHub) -> None:
    assert post(client, "", {"ref": "nowhere"}).status_code == 422
    assert post(client, "", {}).status_code == 422
    assert post(client, "/77/statuses", {"state": "success"}).status_code == 404
    assert post(client, f"/{made(client)}/statuses", {"state": "done"}).status_code == 422
    github.grant = Grant({**EVERYTHING, "deployments": "read"})
    response = post(client, "", {"ref": "main"})
    assert response.status_code == 403
    assert response.headers["X-Accepted-GitHub-Permissions"] == "deployments=write"
    assert get(client, "/deployments").status_code == 200
