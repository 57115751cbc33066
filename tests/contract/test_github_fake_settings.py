"""What the GitHub fake says of files, branches, workflows, Actions' settings and tokens is what GitHub's
description says."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from fakes.github import GitHub
from fakes.github.repository import Environment
from tests.contract import test_github_fake_description as published
from tests.contract.test_github_fake_description import REPO, get

WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "dev_deploy.yml"
FILE = "/contents/.github/workflows/dev_deploy.yml"
SUBJECT = f"{REPO}/actions/oidc/customization/sub"
RULES = f"{REPO}/environments/{{environment_name}}/deployment_protection_rules"
READS = [
    ("/contents/.github/workflows", f"{REPO}/contents/{{path}}", 200),
    ("/contents/.github", f"{REPO}/contents/{{path}}", 200),
    (FILE, f"{REPO}/contents/{{path}}", 200),
    (f"{FILE}?ref=main", f"{REPO}/contents/{{path}}", 200),
    (f"{FILE}?ref=nowhere", f"{REPO}/contents/{{path}}", 404),
    ("/contents/no-such-file", f"{REPO}/contents/{{path}}", 404),
    ("/branches", f"{REPO}/branches", 200),
    ("/actions/workflows", f"{REPO}/actions/workflows", 200),
    ("/actions/workflows/ci.yml", f"{REPO}/actions/workflows/{{workflow_id}}", 200),
    ("/actions/permissions", f"{REPO}/actions/permissions", 200),
    ("/actions/oidc/customization/sub", SUBJECT, 200),
    ("/environments/dev/deployment_protection_rules", RULES, 200),
    ("/environments/Dev-build", f"{REPO}/environments/{{environment_name}}", 200),
    ("/environments/dev/variables", f"{REPO}/environments/{{environment_name}}/variables", 200),
    ("/environments/dev/secrets", f"{REPO}/environments/{{environment_name}}/secrets", 200),
    ("/actions/variables", f"{REPO}/actions/variables", 200),
    ("/actions/secrets", f"{REPO}/actions/secrets", 200),
    ("/rules/branches/x/y", f"{REPO}/rules/branches/{{branch}}", 200),
]


def described(response: TestResponse, path: str) -> None:
    if published.DESCRIPTION.exists():
        published.assert_described(response, path)


@pytest.mark.parametrize(("path", "description", "status"), READS)
def test_what_is_read_is_as_described(client: Client, path: str, description: str, status: int) -> None:
    response = get(client, path)
    assert response.status_code == status
    described(response, description)


def test_a_file_is_what_was_written(client: Client) -> None:
    found = get(client, FILE).json
    assert found is not None
    assert base64.b64decode(found["content"]).decode() == WORKFLOW.read_text()
    assert found["size"] == WORKFLOW.stat().st_size


def test_a_branch_has_files_of_its_own(client: Client, github: GitHub) -> None:
    found = github.default_repository
    found.add_commit("Try", github.clock.now(), branch="try")
    found.files["try"] = {"a.txt": "1"}
    assert get(client, "/contents/a.txt?ref=try").status_code == 200
    assert get(client, "/contents/a.txt").status_code == 404
    branches = get(client, "/branches").json or []
    assert [each["name"] for each in branches] == ["main", "try"]


@pytest.mark.parametrize("state", ["disabled_manually", "disabled_inactivity", "disabled_fork"])
def test_a_workflow_may_be_disabled(client: Client, github: GitHub, state: str) -> None:
    github.default_repository.workflow_states[".github/workflows/dev_deploy.yml"] = state
    response = get(client, "/actions/workflows")
    described(response, f"{REPO}/actions/workflows")
    states = {each["path"].rpartition("/")[2]: each["state"] for each in (response.json or {})["workflows"]}
    assert (states["dev_deploy.yml"], states["ci.yml"]) == (state, "active")
    assert (get(client, "/actions/workflows/dev_deploy.yml").json or {})["state"] == state


def test_actions_may_be_limited_or_switched_off(client: Client, github: GitHub) -> None:
    found = github.default_repository
    assert get(client, "/actions/permissions/selected-actions").status_code == 409
    found.allowed_actions, found.github_owned_allowed = "selected", False
    described(get(client, "/actions/permissions"), f"{REPO}/actions/permissions")
    chosen = get(client, "/actions/permissions/selected-actions")
    described(chosen, f"{REPO}/actions/permissions/selected-actions")
    assert (chosen.json or {})["github_owned_allowed"] is False
    found.actions_enabled = False
    response = get(client, "/actions/permissions")
    described(response, f"{REPO}/actions/permissions")
    assert response.json == {"enabled": False}
    github.hand_sent_event({"stage": "build"})
    assert github.settle()
    assert github.runs == []


def test_a_subject_may_have_ids_and_keys_of_its_own(client: Client, github: GitHub) -> None:
    found = github.default_repository
    owner = (get(client, "").json or {})["owner"]["id"]
    assert (get(client, "/actions/oidc/customization/sub").json or {})["sub_claim_prefix"] == "repo:acme/checkout-api"
    found.immutable_subject, found.subject_keys = True, ("repo", "ref")
    response = get(client, "/actions/oidc/customization/sub")
    described(response, SUBJECT)
    assert response.json == {
        "use_default": False,
        "include_claim_keys": ["repo", "ref"],
        "use_immutable_subject": True,
        "sub_claim_prefix": f"repo:acme@{owner}/checkout-api@{found.id}",
    }


def test_an_app_may_decide_over_an_environment(client: Client, github: GitHub) -> None:
    github.default_repository.protection_rules["dev"] = ("change-control",)
    response = get(client, "/environments/Dev/deployment_protection_rules")
    described(response, RULES)
    (rule,) = (response.json or {})["custom_deployment_protection_rules"]
    assert rule["app"]["slug"] == "change-control"


def test_environments_variables_and_secrets_are_what_somebody_set(client: Client, github: GitHub) -> None:
    """Of a secret its name alone is told."""
    found, place = github.default_repository, f"{REPO}/environments/{{environment_name}}"
    found.variables, found.secrets = {"CHATOPS_URL": "https://x.example"}, ("AWS_ROLE_ARN",)
    found.environments["dev"] = Environment({f"V{n}": "x" for n in range(12)}, ("B", "A"), limited=False)
    for path, key, names, described_at in (
        ("/actions/variables", "variables", ["CHATOPS_URL"], f"{REPO}/actions/variables"),
        ("/actions/secrets", "secrets", ["AWS_ROLE_ARN"], f"{REPO}/actions/secrets"),
        ("/environments/Dev/secrets", "secrets", ["A", "B"], f"{place}/secrets"),
        (
            "/environments/dev/variables?per_page=30",
            "variables",
            sorted(f"V{n}" for n in range(12)),
            f"{place}/variables",
        ),
    ):
        response = get(client, path)
        described(response, described_at)
        assert [one["name"] for one in (response.json or {})[key]] == names
    assert len((get(client, "/environments/dev/variables").json or {})["variables"]) == 10, "GitHub's own page"
    open_to_all = get(client, "/environments/dev")
    described(open_to_all, place)
    assert (open_to_all.json or {})["deployment_branch_policy"] is None
    found.environments["dev"] = None
    assert [get(client, f"/environments/dev{path}").status_code for path in ("", "/variables", "/secrets")] == [404] * 3


@pytest.mark.slow
@pytest.mark.skipif(not published.DESCRIPTION.exists(), reason="make check installs GitHub's REST description")
def test_a_branchs_rule_is_as_described(client: Client) -> None:
    """Two descriptions in one object: the rule's own, and where it comes from."""
    (rule,) = get(client, "/rules/branches/main").json or []
    parts = {
        "repository-rule-pull-request": {name: rule[name] for name in ("type", "parameters")},
        "repository-rule-ruleset-info": {name: rule[name] for name in rule if name.startswith("ruleset_")},
    }
    assert sum(len(part) for part in parts.values()) == len(rule)
    for name, part in parts.items():
        schema = published.components()["schemas"][name] | {"components": published.components()}
        published.jsonschema.Draft202012Validator(schema).validate(part)


def test_a_repository_may_belong_to_a_person(client: Client, github: GitHub) -> None:
    assert (get(client, "").json or {})["owner"]["type"] == "Organization"
    github.default_repository.personal = True
    response = get(client, "")
    described(response, REPO)
    assert (response.json or {})["owner"]["type"] == "User"


@pytest.mark.parametrize("which", ["archived", "disabled"])
def test_a_repository_that_takes_nothing_says_so(client: Client, github: GitHub, which: str) -> None:
    setattr(github.default_repository, which, True)
    response = get(client, "")
    described(response, REPO)
    assert (response.json or {})[which] is True


def test_an_archived_repository_and_a_reader_of_it_start_nothing(client: Client, github: GitHub) -> None:
    def sent() -> int:
        headers, body = {"Authorization": "Bearer ghp_local", "User-Agent": "tests"}, {"event_type": "dev_deploy"}
        return client.post("/repos/acme/checkout-api/dispatches", json=body, headers=headers).status_code

    github.default_repository.push = False
    assert sent() == 403
    github.default_repository.push, github.default_repository.archived = True, True
    assert sent() == 403
    github.default_repository.archived = False
    assert sent() == 204


def test_a_renamed_repository_redirects(client: Client, github: GitHub) -> None:
    found = github.repositories.pop("acme/checkout-api")
    found.name, found.former_names = "checkout", frozenset({"acme/checkout-api"})
    github.repositories["acme/checkout"] = found
    response = get(client, "/branches?per_page=1")
    assert response.status_code == 301
    assert response.headers["Location"].endswith(f"/repositories/{found.id}/branches?per_page=1")
    published_body = get(client, "")
    assert published_body.status_code == 301
    described(published_body, REPO)


def test_a_classic_token_without_repo_sees_public_repositories_only(client: Client, github: GitHub) -> None:
    github.grant = replace(github.grant, scopes=frozenset({"public_repo"}))
    response = get(client, "")
    assert response.status_code == 404
    described(response, REPO)
    github.default_repository.private = False
    response = get(client, "")
    assert response.status_code == 200
    assert response.headers["X-OAuth-Scopes"] == "public_repo"


def test_a_fine_grained_token_is_told_what_it_lacks_and_when_it_ends(client: Client, github: GitHub) -> None:
    github.grant = replace(github.grant, scopes=None, permissions={"metadata": "read"}, expires=1_800_000_000.0)
    response = get(client, "/actions/workflows")
    assert response.status_code == 403
    assert response.headers["X-Accepted-GitHub-Permissions"] == "actions=read"
    assert response.headers["github-authentication-token-expiration"] == "2027-01-15 08:00:00 UTC"
    assert "X-OAuth-Scopes" not in response.headers
    github.grant = replace(github.grant, scopes=frozenset({"repo"}), expires=None)
    response = get(client, "/actions/workflows")
    assert "X-Accepted-GitHub-Permissions" not in response.headers
    assert "github-authentication-token-expiration" not in response.headers
