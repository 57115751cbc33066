"""Which tokens of GitHub Actions the templates' roles let in, by the doctor's reading of IAM's operators and by a
simulator that nobody here wrote (npm's @cloud-copilot/iam-simulate; without it that half is skipped)."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doctor.trust import PROVIDER, admits
from tests.unit.resolved_template import ROOT, Resolved

ARN = f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"
SIMULATOR = ROOT / "node_modules" / "@cloud-copilot" / "iam-simulate"
PROGRAM = Path(__file__).with_name("trust_policy.mjs")
TEMPLATES = {"templates/bootstrap.yaml": "PipelineRole", "templates/pipeline-role.yaml": "Role"}
AUDIENCE = "sts.amazonaws.com"

Claims = dict[str, str]
Question = tuple[dict[str, Any], Claims]
"""A trust policy and what a token says."""
Judge = Callable[[list[Question]], list[bool]]


def ours(questions: list[Question]) -> list[bool]:
    """The doctor's answers. A claim that a token lacks is one that it does not know: never a yes."""
    return [admits(policy, token) is True for policy, token in questions]


def simulated(questions: list[Question]) -> list[bool]:
    keyed = [(ARN, policy, {f"{PROVIDER}:{key}": text for key, text in token.items()}) for policy, token in questions]
    given = json.dumps(keyed)
    done = subprocess.run(["node", str(PROGRAM)], input=given, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.fixture(
    params=[
        ours,
        pytest.param(
            simulated, marks=pytest.mark.skipif(not SIMULATOR.exists(), reason="npm install brings the simulator")
        ),
    ]
)
def judge(request: pytest.FixtureRequest) -> Judge:
    found: Judge = request.param
    return found


@pytest.fixture(params=sorted(TEMPLATES))
def template(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def trust(template: str, repository: str, environment: str, **parameters: str) -> dict[str, Any]:
    """The role's trust policy, with the account's own provider."""
    given = {"Repository": repository, "Environment": environment, "OidcProviderArn": ARN, **parameters}
    roles = Resolved(given, template).resources("AWS::IAM::Role")
    policy: dict[str, Any] = roles[TEMPLATES[template]]["AssumeRolePolicyDocument"]
    return policy


def bare(subject: str, audience: str = AUDIENCE) -> Claims:
    return {"aud": audience, "sub": subject}


def whole(repository: str, environment: str, prefix: str) -> Claims:
    """A token with the claims that STS reads beside the subject."""
    claims = {"repository": repository, "repository_id": "456", "environment": environment, "ref": "refs/heads/main"}
    return {**bare(f"{prefix}:environment:{environment}"), **claims}


ADMITTED = [
    ("acme/shop", "prod", bare("repo:acme/shop:environment:prod")),
    ("acme/shop", "prod", bare("repo:Acme/Shop:environment:Prod")),
    ("ACME/SHOP", "PROD", bare("repo:Acme/Shop:environment:prod")),
    ("Acme/Shop-API", "prod", bare("repo:Acme@123/Shop-API@456:environment:prod")),
    ("acme/.github", "bot", bare("repo:acme@1/.github@2:environment:bot")),
    ("o_corp/a.b_c-d", "eu-1.prod", bare("repo:o_corp@98765432101/a.b_c-d@12345678901:environment:eu-1.prod")),
    # other capitals than were typed in, with ids that were not
    ("acme/shop", "prod", whole("Acme/Shop", "prod", "repo:Acme@123/Shop@456")),
    ("ACME/shop", "Prod", whole("acme/shop", "prod", "repo:acme@123/shop@456")),
    # with ids in Repository
    ("acme@123/shop@456", "prod", bare("repo:acme@123/shop@456:environment:prod")),
    ("acme@123/shop@456", "prod", bare("repo:Acme@123/Shop@456:environment:PROD")),
    ("ACME@123/Shop@456", "prod", bare("repo:acme@123/shop@456:environment:prod")),
    ("acme@123/shop@456", "prod", bare("repo:Acme/shop:environment:prod")),
]


def test_both_forms_of_the_subject_are_trusted_in_any_capitals(judge: Judge, template: str) -> None:
    answers = judge([(trust(template, repository, name), token) for repository, name, token in ADMITTED])
    assert [case for case, answer in zip(ADMITTED, answers, strict=True) if not answer] == []


STRANGERS = [
    bare("repo:acme/shop:environment:prod", "https://github.com/acme"),
    bare("repo:acme@123/shop@456:environment:prod", "sigstore"),
    *(
        bare(subject)
        for subject in (
            "",
            "repo:acme/shop",
            "repo:acme/shop:environment:",
            "repo:acme/shop:environment:production",
            "repo:acme/shop:environment:dev",
            "repo:acme/shop:environment:prod:extra",
            "repo:acme/shop:environment:prod%3Adev",
            "repo:acme/shop:pull_request",
            "repo:acme/shop:ref:refs/heads/main",
            "repo:acme/shop:ref:refs/heads/environment:prod",
            "repo:acme/shop2:environment:prod",
            "repo:acme/my-shop:environment:prod",
            "repo:acme2/shop:environment:prod",
            "repo:notacme/shop:environment:prod",
            "repo:evil/acme/shop:environment:prod",
            "xrepo:acme/shop:environment:prod",
            # the same with ids
            "repo:acme@123/shop@456",
            "repo:acme@123/shop@456:environment:",
            "repo:acme@123/shop@456:environment:prod2",
            "repo:acme@123/shop@456:environment:xprod",
            "repo:acme@123/shop@456:environment:staging",
            "repo:acme@123/shop@456:pull_request",
            "repo:acme@123/shop@456:ref:refs/heads/main",
            "repo:acme@123/shop2@456:environment:prod",
            "repo:acme@123/myshop@456:environment:prod",
            "repo:acme2@123/shop@456:environment:prod",
            "repo:myacme@123/shop@456:environment:prod",
            "repo:acme@1@123/shop@456:environment:prod",
            "repo:acme@123/shop@4@56:environment:prod",
            "repo:acme@123/shop:environment:prod",
            "repo:acme/shop@456:environment:prod",
            # the owner's other repositories, with subjects that somebody customised
            "repo:acme@123/evil@789:ref:refs/heads/x/shop@456:environment:prod",
            "repo:acme@123/evil@789:workflow:/shop@456:environment:prod",
            "repo:acme@123/evil@789:environment:x/shop@1:environment:prod",
            "repo:acme@123/evil/shop@456:environment:prod",
            "repo:acme@123/shop@456:environment:dev:environment:prod",
            "repository:acme/shop:environment:prod",
            "repository_owner:acme:repo:acme@123/shop@456:environment:prod",
        )
    ),
    # with all that STS reads: other repositories and environments, whatever their subjects look like
    whole("acme/evil", "prod", "repo:acme@123/evil@789"),
    whole("evil/shop", "prod", "repo:evil@9/shop@8"),
    whole("acme/shop2", "prod", "repo:acme@123/shop2@7"),
    whole("acme/shop", "dev", "repo:acme@123/shop@456"),
    {**whole("acme/shop", "prod", "x"), "sub": "repo:acme@123/shop@456:ref:refs/heads/main"},
    {**whole("acme/shop", "prod", "x"), "sub": "repo:acme@123/shop@456:pull_request"},
    {**whole("acme/shop", "prod", "repo:acme@123/shop@456"), "aud": "vault"},
    {"aud": AUDIENCE, "repository": "acme/shop", "environment": "prod"},
]


def test_nobody_else_is_trusted(judge: Judge, template: str) -> None:
    typed = ("acme/shop", "Acme/Shop", "acme@123/shop@456")
    questions = [(trust(template, repository, "prod"), token) for repository in typed for token in STRANGERS]
    asked = [(repository, token) for repository in typed for token in STRANGERS]
    assert [case for case, answer in zip(asked, judge(questions), strict=True) if answer] == []


def test_with_ids_a_later_repository_of_the_name_is_refused(judge: Judge, template: str) -> None:
    """Names can be taken again when they are free, ids never."""
    policy = trust(template, "acme@123/shop@456", "prod")
    prefixes = ("repo:acme@124/shop@456", "repo:acme@123/shop@457", "repo:acme@1234/shop@456", "repo:acme@123/shop@45")
    assert judge([(policy, whole("acme/shop", "prod", prefix)) for prefix in prefixes]) == [False] * 4


def test_what_is_typed_in_is_no_wildcard_and_its_pattern_takes_what_github_has(template: str) -> None:
    parameters = Resolved({"Repository": "x/y"}, template).document["Parameters"]
    repository, environment = (parameters[name]["AllowedPattern"] for name in ("Repository", "Environment"))
    for text in ("acme/shop", "Acme-Co/Shop.API_2", "octo_corp/.github", "a/b", "acme@123/shop@456", "x" * 39 + "/y"):
        assert re.fullmatch(repository, text), text
    for text in (
        *("acme", "acme/*", "*/shop", "acme/sh?p", "acme/shop:x", "a/b/c", "acme@123/shop", "acme/shop@456"),
        *("acme@*/shop@*", "acme@x/shop@y", "https://github.com/acme/shop", "acme/shop ", "", "${a}/b", "acme@/shop@"),
    ):
        assert not re.fullmatch(repository, text), text
    for text in ("dev", "Prod", "eu-west_1.prod", "My Environment"):
        assert re.fullmatch(environment, text), text
    for text in ("*", "prod*", "pr?d", "a/b", "a:b", "a@b", "", "${x}"):
        assert not re.fullmatch(environment, text), text


@pytest.mark.parametrize("repository", ["o" * 39 + "/" + "n" * 100, f"{'o' * 39}@{'1' * 12}/{'n' * 100}@{'2' * 12}"])
def test_the_longest_names_fit_into_a_trust_policy(template: str, repository: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: 2,048 characters, without blanks."""
    provider = ARN.replace("arn:aws:", "arn:aws-us-gov:")
    policy = trust(template, repository, "e" * 64, OidcProviderArn=provider)
    assert len(json.dumps(policy, separators=(",", ":"))) <= 2048


POLICIES: list[tuple[dict[str, Any], bool]] = [
    ({"StringEquals": {"sub": "repo:acme/shop:environment:prod"}}, True),
    ({"StringEquals": {"sub": "repo:Acme/shop:environment:prod"}}, False),
    ({"StringEquals": {"sub": ["x", "repo:acme/shop:environment:prod"]}}, True),
    ({"StringEqualsIgnoreCase": {"sub": "REPO:acme/shop:environment:prod"}}, True),
    ({"StringEqualsIgnoreCase": {"sub": "repo:acme/*"}}, False),
    ({"StringLike": {"sub": "repo:acme/*"}}, True),
    ({"StringLike": {"sub": "repo:acme/sh?p:environment:prod"}}, True),
    ({"StringLike": {"sub": "repo:acme/sh?op:environment:prod"}}, False),
    ({"StringLike": {"sub": "repo:ACME/*"}}, False),
    ({"StringLike": {"sub": "repo.acme*"}}, False),
    ({"StringNotLike": {"sub": ["repo:x/*", "repo:y/*"]}}, True),
    ({"StringNotLike": {"sub": ["repo:x/*", "repo:acme/*"]}}, False),
    ({"StringNotEquals": {"sub": "repo:acme/shop:environment:prod"}}, False),
    ({"StringNotEqualsIgnoreCase": {"sub": "repo:ACME/shop:environment:prod"}}, False),
    ({"ForAnyValue:StringLike": {"sub": ["repo:acme/*"]}}, True),
    ({"ForAllValues:StringEquals": {"sub": ["repo:x/y"]}}, False),
    ({"StringLikeIfExists": {"sub": "repo:acme/*"}}, True),
    ({"StringLike": {"sub": "repo:acme/*"}, "StringEquals": {"aud": "vault"}}, False),
    ({"StringLike": {"sub": "repo:acme/*", "repository": "acme/shop"}}, True),
    ({}, True),
]


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_operators_are_read_as_iam_reads_them(judge: Judge, effect: str) -> None:
    statement = {"Principal": {"Federated": ARN}, "Action": "sts:AssumeRoleWithWebIdentity"}
    everybody = [] if effect == "Allow" else [{**statement, "Effect": "Allow"}]
    token = whole("acme/shop", "prod", "repo:acme/shop")
    questions = []
    for conditions, _ in POLICIES:
        keyed = {name: {f"{PROVIDER}:{key}": text for key, text in keys.items()} for name, keys in conditions.items()}
        statements = [*everybody, {**statement, "Effect": effect, "Condition": keyed}]
        questions.append(({"Version": "2012-10-17", "Statement": statements}, token))
    assert judge(questions) == [answer is (effect == "Allow") for _, answer in POLICIES]
