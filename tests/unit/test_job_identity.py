"""Who claims and reports: each way in which a token isn't that of the run for which a stage waits.

The tokens are signed by the fake issuer with cryptography's primitives, and verified by the product with PyJWT.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chatops import aws
from chatops.domain.run_token import EVENT, ExpectedRun, RunToken, objection
from chatops.steps import stage
from chatops.store import locks, stages, wakeups
from chatops.store.locks import Holder
from chatops.store.table import Table
from fakes.github.oidc import _encoded, _key, _kid
from tests.faults.races.fakes import States
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.job_tokens import AUDIENCE, EXPECTED, ISSUER, PATH, RUN, Jobs, a_run, jobs, post
from tests.unit.stored import stage_of

ID = "d-abcdefghijkl"
HOLDER = Holder(ID, "arn", "deploy", "v1", "U0DANA001", "")
PLAN: dict[str, Any] = {"target": "dev", "command": "deploy", "version": "v1", "requester": {"id": "U0DANA001"}}


@pytest.fixture
def made(rows: Table, time: Time, environment: pytest.MonkeyPatch) -> Jobs:
    """A build stage of one deployment that waits for its run, and jobs that ask."""
    environment.setattr(stage, "table", lambda: rows)
    environment.setattr(wakeups, "wake", lambda *_, **_how: None)
    states = States()
    environment.setattr(aws, "client", lambda *_, **_how: states)
    stored.begin(rows, ID, HOLDER.execution_arn, PLAN, locks.taking("dev", HOLDER))
    prepare(rows, EXPECTED)
    return jobs(environment)


def prepare(rows: Table, expected: ExpectedRun) -> None:
    stages.prepare(rows, ID, "build", "dev", 600)
    assert stages.trying(rows, ID, "build", "dev", expected)


def paper(rows: Table) -> dict[str, Any]:
    return {"ticket": stage_of(rows, ID, "build").ticket}


# -- the token itself ------------------------------------------------------------------------------------------


def unsigned(made: Jobs) -> str:
    body = made.token().split(".")[1]
    return f"{_encoded(json.dumps({'typ': 'JWT', 'alg': 'none', 'kid': _kid(0)}).encode())}.{body}."


def with_the_public_key_as_secret(made: Jobs) -> str:
    """The classic confusion: HS256, keyed with what everybody can read."""
    head = _encoded(json.dumps({"typ": "JWT", "alg": "HS256", "kid": _kid(0)}).encode())
    text = f"{head}.{made.token().split('.')[1]}"
    pem = _key(0).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"{text}.{_encoded(hmac.new(pem, text.encode(), hashlib.sha256).digest())}"


def tampered(made: Jobs) -> str:
    """Another run's id under the signature of this one's."""
    head, _, signature = made.token().split(".")
    return f"{head}.{_encoded(json.dumps(made.claims(run_id='1')).encode())}.{signature}"


def signed_by_another_key(made: Jobs) -> str:
    made.fake.keys = [1]
    token = made.fake.signed(made.claims(), {"kid": _kid(0)})
    made.fake.keys = [0]
    return token


def unknown_key(made: Jobs) -> str:
    made.fake.keys = [1]
    token = made.token()
    made.fake.keys = [0]
    return token


def header(**changes: Any) -> Callable[[Jobs], str]:
    return lambda made: made.fake.signed(made.claims(), changes)


def at(seconds: float) -> Callable[[float], float]:
    """So many seconds after the moment at which the token is made."""
    return lambda now: now + seconds


def claim(**changes: Any) -> Callable[[Jobs], str]:
    return lambda made: made.token(**changes)


TOKENS: dict[str, tuple[Callable[[Jobs], str | None], str]] = {
    "none": (lambda _: None, "no token"),
    "from a clock that is half a minute ahead": (claim(nbf=at(35), iat=at(35)), "isn't valid yet"),
    "empty": (lambda _: "", "no token"),
    "no token at all": (lambda _: "abc", "no JSON web token"),
    "of 100 KB": (claim(actor="x" * 100_000), "too long"),
    "deep": (lambda _: f"{base64.urlsafe_b64encode(b'[' * 9000).decode()}.e30.x", "no JSON web token"),
    "expired": (claim(exp=at(-31), iat=at(-331)), "expired"),
    "not yet valid": (claim(nbf=at(600)), "isn't valid yet"),
    "issued in the future": (claim(iat=at(600)), "isn't valid yet"),
    "for ever": (claim(exp=None), "no exp"),
    "without its beginning": (claim(nbf=None), "no nbf"),
    "without its time": (claim(iat=None), "no iat"),
    "an expiry that is no number": (claim(exp="tomorrow"), "form is wrong"),
    "signature changed": (lambda made: made.token()[:-8] + "AAAAAAAA", "signature or form"),
    "signature empty": (lambda made: made.token().rpartition(".")[0] + ".", "signature or form"),
    "claims changed": (tampered, "signature or form"),
    "signed by another key": (signed_by_another_key, "signature or form"),
    "alg none": (unsigned, "RS256"),
    "HS256 with the public key": (with_the_public_key_as_secret, "RS256"),
    "RS512 in the header": (header(alg="RS512"), "RS256"),
    "unknown kid": (unknown_key, "with a key that"),
    "no kid": (header(kid=None), "form is wrong|no JSON web token|RS256"),
    "a kid that is a path": (header(kid="../../etc/passwd"), "with a key that"),
    "critical extensions": (header(crit=["b64"], b64=False), "no JSON web token|form is wrong"),
    "foreign issuer": (claim(iss="https://token.actions.githubusercontent.com.evil.test"), f"issuer {ISSUER}"),
    "issuer of an enterprise": (claim(iss=f"{ISSUER}/acme"), "issuer"),
    "no issuer": (claim(iss=None), "no iss"),
    "audience of AWS": (claim(aud="sts.amazonaws.com"), f"another audience than {AUDIENCE}"),
    "audience of another stack": (claim(aud=AUDIENCE + "-2"), "another audience"),
    "a list of other audiences": (claim(aud=["sts.amazonaws.com", "x"]), "another audience"),
    "ours among others": (claim(aud=[AUDIENCE, "sts.amazonaws.com"]), "another audience"),
    "no audience": (claim(aud=None), "no aud"),
}

# -- the run that it speaks for --------------------------------------------------------------------------------

ELSEWHERE = f"acme/checkout-api/{PATH}@refs/heads/feature"
CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "another repository": ({"repository_id": "1", "repository": "acme/checkout-api"}, "repository_id is '1'"),
    "a repository's number as a number": ({"repository_id": 704218356}, "repository_id is missing"),
    "run again": ({"run_attempt": "2"}, "a re-run of a stage deploys nothing"),
    "no attempt": ({"run_attempt": None}, "a re-run"),
    "no run": ({"run_id": None}, "run_id"),
    "a run's number as a number": ({"run_id": RUN}, "run_id"),
    "a run that is no number": ({"run_id": "9001 "}, "run_id"),
    "a pull request": ({"event_name": "pull_request"}, "event_name is 'pull_request'"),
    "started by hand": ({"event_name": "workflow_dispatch"}, "event_name"),
    "a branch": ({"ref": "refs/heads/feature"}, "ref is 'refs/heads/feature' and should be refs/heads/main"),
    "a tag of the branch's name": ({"ref": "refs/tags/main"}, "ref"),
    "another workflow": ({"workflow_ref": "acme/checkout-api/.github/workflows/x.yml@refs/heads/main"}, "workflow_ref"),
    "another repository's workflow": ({"workflow_ref": f"evil/checkout-api/{PATH}@refs/heads/main"}, "workflow_ref"),
    "the workflow of a branch": ({"workflow_ref": ELSEWHERE}, "workflow_ref"),
    "the file in other capitals": ({"workflow_ref": f"acme/checkout-api/{PATH.upper()}@refs/heads/main"}, "workflow"),
    "no workflow": ({"workflow_ref": None}, "workflow_ref is missing"),
    "another called workflow": ({"job_workflow_ref": f"evil/pipe/{PATH}@refs/heads/main"}, "job_workflow_ref"),
    "the called workflow of a branch": ({"job_workflow_ref": ELSEWHERE}, "job_workflow_ref"),
    "no called workflow": ({"job_workflow_ref": None}, "job_workflow_ref is missing"),
    "another environment": ({"environment": "dev"}, "environment is 'dev' and should be dev-build"),
    "no environment": ({"environment": None}, "environment is missing"),
    "line breaks": ({"environment": "dev\n::set-env name=A::b"}, r"environment is 'dev\n::set-env"),
}
REFUSED = {**TOKENS, **{name: (claim(**changes), why) for name, (changes, why) in CLAIMS.items()}}


@pytest.mark.parametrize("name", REFUSED)
def test_whoever_is_not_the_expected_run_is_refused_in_words_and_changes_nothing(
    rows: Table, made: Jobs, name: str
) -> None:
    token, why = REFUSED[name]
    before = rows.query(f"DEPLOYMENT#{ID}")
    report = {**paper(rows), "outcome": "success", "outputs": {"image": "stranger@sha256:2"}}
    for route, body in (("claim", paper(rows)), ("finish", report)):
        status, answer = post(route, body, token(made))
        assert status == 403
        assert any(part in answer["message"] for part in why.split("|")), answer
        assert "\n" not in answer["message"]
        assert paper(rows)["ticket"] not in answer["message"]
    assert rows.query(f"DEPLOYMENT#{ID}") == before


@pytest.mark.parametrize("name", [*CLAIMS, "expired", "ours among others"])
def test_after_the_claim_a_report_needs_the_same_proof(rows: Table, made: Jobs, name: str) -> None:
    assert post("claim", paper(rows), made.token()) == (200, {})
    before = rows.query(f"DEPLOYMENT#{ID}")
    assert post("finish", {**paper(rows), "outcome": "success"}, REFUSED[name][0](made))[0] == 403
    assert rows.query(f"DEPLOYMENT#{ID}") == before


ACCEPTED: dict[str, dict[str, Any]] = {
    "as it is": {},
    "a clock that is half a minute behind": {"exp": at(-1)},
    "a clock that is nearly half a minute ahead": {"nbf": at(25), "iat": at(25)},
    "the owner in other capitals": {
        "repository": "ACME/Checkout-API",
        "workflow_ref": f"Acme/Checkout-API/{PATH}@refs/heads/main",
    },
    "renamed since": {
        "repository": "newco/shop",
        "workflow_ref": f"newco/shop/{PATH}@refs/heads/main",
        "job_workflow_ref": f"newco/shop/{PATH}@refs/heads/main",
    },
    "the environment in other capitals": {"environment": "Dev-Build"},
    "claims that GitHub adds one day": {"new_claim": {"a": [1]}},
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_expected_run_claims(rows: Table, made: Jobs, name: str) -> None:
    assert post("claim", paper(rows), made.token(**ACCEPTED[name])) == (200, {})
    assert stage_of(rows, ID, "build").run_id == RUN


HEADERS: dict[str, tuple[dict[str, Any], int]] = {
    "another name's capitals": ({"AUTHORIZATION": "bearer {}"}, 200),
    "another scheme": ({"authorization": "Basic {}"}, 403),
    "no scheme": ({"authorization": "{}"}, 403),
    "twice": ({"authorization": "Bearer {}", "Authorization": "Bearer {}"}, 403),
    "of a proxy": ({"proxy-authorization": "Bearer {}"}, 403),
    "no text": ({"authorization": 7}, 403),
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_token_stands_in_one_header(rows: Table, made: Jobs, name: str) -> None:
    headers, status = HEADERS[name]
    filled = {key: text.format(made.token()) if isinstance(text, str) else text for key, text in headers.items()}
    assert post("claim", paper(rows), headers=filled)[0] == status


def test_a_reader_of_the_log_has_ticket_and_run_and_gets_nothing_for_them(rows: Table, made: Jobs) -> None:
    """S2. Whoever may read the log may ask for tokens of runs of their own, in repositories of their own."""
    assert post("claim", paper(rows), made.token()) == (200, {})
    told = {**paper(rows), "run_id": RUN, "run_attempt": 1, "outcome": "success", "outputs": {"image": "s@sha256:2"}}
    theirs = made.token(repository="stranger/fork", repository_id="99", run_id="5")
    for token in (None, theirs):
        for route in ("claim", "finish"):
            assert post(route, told, token)[0] == 403
    assert stage_of(rows, ID, "build").state == "claimed"
    ours = {**paper(rows), "outcome": "success", "outputs": {"image": "repo@sha256:1"}}
    assert post("finish", ours, made.token())[0] == 200
    assert stage_of(rows, ID, "build").outputs.image == "repo@sha256:1"


@pytest.mark.parametrize("event", ["pull_request", "push", "schedule"])
def test_another_run_of_the_repository_is_not_taken_for_ours(rows: Table, made: Jobs, event: str) -> None:
    """S2b. The run is the token's, whatever the body says."""
    other = a_run(id=5, event=event)
    assert post("claim", {**paper(rows), "run_id": RUN}, made.token(other))[0] == 403
    assert post("claim", {**paper(rows), "run_id": 5}, made.token()) == (200, {})
    assert stage_of(rows, ID, "build").run_id == RUN
    late = a_run(id=6)
    message = "This run may not go on: this build stage's ticket is used."
    assert post("claim", paper(rows), made.token(late)) == (403, {"message": message})


def test_a_stage_that_expects_no_run_is_claimed_by_none(rows: Table, made: Jobs) -> None:
    """Of a target with `claim: false`, or before its event was sent."""
    prepare(rows, ExpectedRun())
    status, answer = post("claim", paper(rows), made.token())
    assert status == 403
    assert "claim: false" in answer["message"]


# -- which workflow ----------------------------------------------------------------------------------------------

CALLER = ".github/workflows/prod_deploy.yml"
THERE, SHA = f"acme/pipe/{PATH}", "0123456789" * 4
CALLED: dict[str, tuple[ExpectedRun, str, bool]] = {
    "itself": (replace(EXPECTED, workflow=CALLER), f"acme/shop/{CALLER}@refs/heads/main", True),
    "its own pipeline": (replace(EXPECTED, workflow=CALLER), f"acme/shop/{PATH}@refs/heads/main", True),
    "its own pipeline at a commit": (replace(EXPECTED, workflow=CALLER), f"acme/shop/{PATH}@{SHA}", True),
    "its own pipeline of a branch": (replace(EXPECTED, workflow=CALLER), f"acme/shop/{PATH}@refs/heads/x", False),
    "another file of its own": (
        replace(EXPECTED, workflow=CALLER),
        "acme/shop/.github/workflows/x.yml@refs/heads/main",
        False,
    ),
    "another one's pipeline at a commit": (replace(EXPECTED, workflow=CALLER), f"{THERE}@{SHA}", True),
    "another one's pipeline that may move": (replace(EXPECTED, workflow=CALLER), f"{THERE}@refs/tags/v1", False),
    "half a commit": (replace(EXPECTED, workflow=CALLER), f"{THERE}@{SHA[:12]}", False),
    "another file of another one's": (
        replace(EXPECTED, workflow=CALLER),
        f"acme/pipe/.github/workflows/x{PATH.rpartition('/')[2]}@{SHA}",
        False,
    ),
    "another pipeline than the named one": (
        replace(EXPECTED, workflow=CALLER, pipeline="acme/pipe"),
        f"evil/pipe/{PATH}@{SHA}",
        False,
    ),
    "the pipeline": (replace(EXPECTED, workflow=CALLER, pipeline="acme/pipe"), f"{THERE}@{SHA}", True),
    "the pipeline's tag": (replace(EXPECTED, workflow=CALLER, pipeline="Acme/Pipe"), f"{THERE}@refs/tags/v1", True),
    "nothing of the pipeline": (replace(EXPECTED, workflow=CALLER, pipeline="acme/pipe"), THERE, False),
    "itself instead of the pipeline": (
        replace(EXPECTED, workflow=CALLER, pipeline="acme/pipe"),
        f"acme/shop/{CALLER}@refs/heads/main",
        False,
    ),
    "a look-alike of the pipeline": (
        replace(EXPECTED, workflow=CALLER, pipeline="acme/pipe"),
        f"acme/pipe.evil/{PATH}@{SHA}",
        False,
    ),
}


@pytest.mark.parametrize("name", CALLED)
def test_the_job_is_one_of_the_targets_pipeline(name: str) -> None:
    expected, called, good = CALLED[name]
    workflow = f"acme/shop/{CALLER}@refs/heads/main"
    token = RunToken(
        "acme/shop", "704218356", RUN, "1", EVENT, "refs/heads/main", workflow, called, expected.environment
    )
    why = objection(expected, token)
    assert (why == "") is good
    assert good or "pipeline of the target" in why


@pytest.mark.parametrize(
    ("number", "read"), [("1", 1), ("9" * 18, int("9" * 18)), ("0", 0), ("01", 0), ("9" * 19, 0), ("٣", 0), ("-1", 0)]
)
def test_a_runs_number_is_read_as_github_writes_it(number: str, read: int) -> None:
    assert RunToken.of({"run_id": number}).run_id == read
