"""The tokens of GitHub's jobs: the fake issuer's beside GitHub's documentation, and the pipeline's script with them.

https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from chatops import aws
from chatops.domain.run_token import ExpectedRun, RunToken, objection
from chatops.domain.target import PIPELINE_FILE, Target
from chatops.github import oidc
from chatops.steps import stage
from chatops.store import locks, stages, wakeups
from chatops.store.locks import Holder
from chatops.store.table import Table
from fakes.clock import Clock
from fakes.github import GitHub, Script
from fakes.github.files import workflows_of
from fakes.github.model import Run
from fakes.github.oidc import PLACE, called_workflow, request_token, request_url
from fakes.github.oidc import environment as fakes_environment
from local.http_api import http_api_event, to_response
from pipeline.caller import HERE, OWN, PIPELINE, Source, caller
from tests.faults.races.fakes import States
from tests.unit import stored
from tests.unit.conftest import Time, environment, rows, time
from tests.unit.stored import stage_of

__all__ = ["environment", "rows", "time"]

SCRIPT = Path(__file__).parents[2] / ".github" / "scripts" / "chatops_stage.py"
EXAMPLE: dict[str, Any] = {
    "jti": "example-id", "sub": "repo:octo-org/octo-repo:environment:prod", "environment": "prod",
    "aud": "https://github.com/octo-org", "ref": "refs/heads/main", "sha": "example-sha",
    "repository": "octo-org/octo-repo", "repository_owner": "octo-org", "actor_id": "12",
    "repository_visibility": "private", "repository_id": "74", "repository_owner_id": "65",
    "run_id": "example-run-id", "run_number": "10", "run_attempt": "2", "runner_environment": "github-hosted",
    "actor": "octocat", "workflow": "example-workflow", "head_ref": "", "base_ref": "",
    "event_name": "workflow_dispatch", "ref_type": "branch",
    "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
    "iss": "https://token.actions.githubusercontent.com", "nbf": 1632492967, "exp": 1632493867, "iat": 1632493567,
}  # fmt: skip
"""The documentation's example."""
CUSTOM = {"ref_protected", "workflow_ref", "workflow_sha", "job_workflow_sha"}
"""Other claims in its list."""


@pytest.fixture
def github() -> Iterator[GitHub]:
    made = GitHub(Clock(1))
    made.script |= {
        name: Script(claims=False, appear_seconds=0, seconds=3600) for name in ("build", "deploy", "rollback")
    }
    yield made
    made.close()


def started(github: GitHub, **payload: Any) -> Run:
    """The run of an event."""
    github.hand_sent_event({"deployment_id": "d-1", "stage": "build", "target": "dev", **payload})
    return github.runs[-1]


def test_a_token_has_the_documented_claims_with_their_types(github: GitHub) -> None:
    token = github.id_token(started(github), "audience")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert set(claims) == {*EXAMPLE, *CUSTOM}
    assert {name: type(claims[name]) for name in EXAMPLE} == {name: type(value) for name, value in EXAMPLE.items()}
    for one in (claims, EXAMPLE):
        assert (one["exp"] - one["iat"], one["iat"] - one["nbf"]) == (300, 600)
    assert set(jwt.get_unverified_header(token)) == {"typ", "alg", "x5t", "kid"}
    assert set(claims) <= {*github.oidc.configuration()["claims_supported"]}


def test_the_issuer_says_what_discovery_demands_and_publishes_its_keys(github: GitHub) -> None:
    """https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata, RFC 7517 and 7518"""
    found = github.oidc.configuration()
    assert found["issuer"] + "/.well-known/jwks" == found["jwks_uri"]
    required = {"response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"}
    assert required <= set(found)
    token = github.id_token(started(github), "audience")
    (key,) = jwt.PyJWKSet.from_dict(github.oidc.jwks()).keys
    assert key.key_id == jwt.get_unverified_header(token)["kid"]
    assert jwt.decode(token, key, algorithms=["RS256"], audience="audience", issuer=found["issuer"])


@pytest.mark.parametrize("kind", ["build", "deploy", "rollback"])
def test_pipeline_fake_and_product_agree_on_the_environment(github: GitHub, kind: str) -> None:
    jobs = yaml.safe_load(OWN.read_text("utf-8"))["jobs"]
    claiming = {
        name: job for name, job in jobs.items() if 'chatops_stage.py" claim' in json.dumps(job).replace("\\", "")
    }
    mine = [job for name, job in claiming.items() if (name == "release") is (kind != "build")]
    assert mine
    for job in mine:
        name = str(job["environment"]["name"]).replace("${{ github.event.client_payload.target }}", "dev")
        assert name == Target("dev", "acme/shop", "dev_deploy").environment(kind)
        assert job["permissions"]["id-token"] == "write"
    assert fakes_environment(started(github, stage=kind)) == Target("dev", "acme/shop", "dev_deploy").environment(kind)


def expected(github: GitHub, target: Target) -> ExpectedRun:
    """What `dispatch` writes down for a build."""
    number = str(github.default_repository.id)
    return ExpectedRun(number, "main", target.workflow_file, target.pipeline, target.environment("build"))


LOCAL = {
    "dev": Target("dev", "acme/checkout-api", "dev_deploy"),
    "another target": Target("prod", "acme/checkout-api", "prod_deploy"),
    "another target's own event": Target("prod", "acme/checkout-api", "ship it"),
    "dev with an event of its own": Target("dev", "acme/checkout-api", "ship"),
    "another name for dev's event": Target("prod", "acme/checkout-api", "dev_deploy"),
    "a workflow of its own": Target("prod", "acme/checkout-api", "x", workflow=".github/workflows/ship.yaml"),
    "a workflow of its own for dev's event": Target(
        "prod", "acme/checkout-api", "dev_deploy", workflow=".github/workflows/ship.yaml"
    ),
    "a pipeline of another repository": Target("prod", "acme/checkout-api", "prod_deploy", pipeline="acme/pipe"),
}


@pytest.mark.parametrize("name", LOCAL)
def test_whatever_a_target_says_its_workflow_in_the_local_run_is_the_one_that_is_expected(
    github: GitHub, name: str
) -> None:
    target = LOCAL[name]
    github.default_repository.files["main"] = workflows_of([target])
    github.hand_sent_event({"deployment_id": "d-1", "stage": "build", "target": target.name}, target.event_type)
    (run,) = github.runs
    claims = jwt.decode(github.id_token(run, "audience"), options={"verify_signature": False})
    assert objection(expected(github, target), RunToken.of(claims)) == ""


USES = {"here": HERE, "elsewhere": Source("acme/pipe", "a" * 40, "v1").uses}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("name", ["here", "elsewhere"])
def test_the_run_of_a_caller_that_make_caller_wrote_is_the_expected_one(
    github: GitHub, name: str, *, named: bool
) -> None:
    repository = github.default_repository
    path = ".github/workflows/prod_deploy.yml"
    repository.files["main"] = {path: caller("prod", "prod_deploy", USES[name])}
    github.hand_sent_event({"deployment_id": "d-1", "stage": "build", "target": "prod"}, "prod_deploy")
    claims = jwt.decode(github.id_token(github.runs[-1], "audience"), options={"verify_signature": False})
    pipeline = "acme/pipe" if name == "elsewhere" else ""
    target = Target("prod", "acme/checkout-api", "prod_deploy", pipeline=pipeline if named else "")
    assert objection(expected(github, target), RunToken.of(claims)) == ""
    assert claims["workflow_ref"] == f"acme/checkout-api/{path}@refs/heads/main"
    called = f"acme/pipe/{PIPELINE}@{'a' * 40}" if pipeline else f"acme/checkout-api/{PIPELINE}@refs/heads/main"
    assert claims["job_workflow_ref"] == called == called_workflow(repository, github.runs[-1], USES[name])
    assert PIPELINE_FILE == PIPELINE


# -- the pipeline's script, GitHub's endpoints and the function, over HTTP ----------------------------------------


@pytest.fixture
def served(github: GitHub, rows: Table, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of both, below `/_github` and `/prod`."""
    states = States()
    monkeypatch.setattr(stage, "table", lambda: rows)
    monkeypatch.setattr(wakeups, "wake", lambda *_, **_how: None)
    monkeypatch.setattr(aws, "client", lambda *_, **_how: states)

    @Request.application
    def bot(request: Request) -> Response:
        event = http_api_event(request.method, request.path, "", list(request.headers), request.get_data(), now=0)
        status, headers, body = to_response(stage.run(event))
        return Response(body, status, dict(headers))

    def both(environ: dict[str, Any], start: Any) -> Any:
        path = environ["PATH_INFO"]
        if not path.startswith("/_github"):
            return bot(environ, start)
        environ |= {"SCRIPT_NAME": "/_github", "PATH_INFO": path.removeprefix("/_github")}
        return github.mount(environ, start)

    server = make_server("127.0.0.1", 0, both, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.port}"
    github.oidc.url = f"{address}/_github{PLACE}"
    issuer = oidc.Issuer(github.oidc.url, "audience")
    monkeypatch.setattr(oidc, "issuer", lambda: issuer)
    yield address
    server.shutdown()


def test_the_script_claims_and_reports_and_nobody_elses_job_does(
    github: GitHub, rows: Table, served: str, tmp_path: Path, time: Time
) -> None:
    github.oidc.now = time
    holder = Holder("d-1", "arn", "deploy", "v1", "U0DANA001", "")
    plan = {"target": "dev", "command": "deploy", "version": "v1", "requester": {"id": "U0DANA001"}}
    stored.begin(rows, "d-1", "arn", plan, locks.taking("dev", holder))
    ticket = stages.prepare(rows, "d-1", "build", "dev", 600).ticket
    assert stages.trying(rows, "d-1", "build", "dev", expected(github, LOCAL["dev"]))
    ours = started(github, ticket=ticket)
    other = started(github, ticket=ticket, stage="deploy")

    def run(word: str, run: Run, **env: str) -> subprocess.CompletedProcess[str]:
        event = tmp_path / "event.json"
        event.write_text(json.dumps({"client_payload": dict(run.payload)}), "utf-8")
        whole = {
            "PATH": os.environ["PATH"],
            "CHATOPS_URL": f"{served}/prod",
            "CHATOPS_AUDIENCE": "audience",
            "GITHUB_EVENT_PATH": str(event),
            "ACTIONS_ID_TOKEN_REQUEST_URL": request_url(f"{served}/_github", run),
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": request_token(run),
        }
        words = [sys.executable, str(SCRIPT), word]
        return subprocess.run(words, env=whole | env, capture_output=True, text=True, timeout=60)

    refused = run("claim", other)
    assert refused.returncode == 1
    assert "the token's environment is 'dev' and should be dev-build" in refused.stdout
    assert run("claim", ours, CHATOPS_AUDIENCE="sts.amazonaws.com").returncode == 1
    assert run("claim", ours).returncode == 0
    reported = run("finish", ours, OUTCOME="success", IMAGE="repo@sha256:1")
    assert reported.stdout.endswith("Reported: success.\n")
    row = stage_of(rows, "d-1", "build")
    assert (row.run_id, row.state, row.outputs.image) == (ours.id, "finished", "repo@sha256:1")
    again = run("finish", ours, OUTCOME="success", IMAGE="stranger@sha256:2")
    assert "The first report stands" in again.stdout


def test_a_job_gets_tokens_for_its_own_run_alone(github: GitHub, served: str) -> None:
    from urllib.error import HTTPError
    from urllib.request import Request as Get
    from urllib.request import urlopen

    ours, other = started(github), started(github)
    url = request_url(f"{served}/_github", ours) + "&audience=x"
    for bearer in ("", request_token(other), "ghp_local"):
        with pytest.raises(HTTPError) as caught:
            urlopen(Get(url, headers={"Authorization": f"Bearer {bearer}"}))
        assert caught.value.code == 401
    with urlopen(Get(url, headers={"Authorization": f"bearer {request_token(ours)}"})) as answer:
        claims = jwt.decode(json.load(answer)["value"], options={"verify_signature": False})
    assert (claims["run_id"], claims["aud"]) == (str(ours.id), "x")
