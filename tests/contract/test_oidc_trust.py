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
from local.runtime.intrinsics import load_yaml
from tests.unit.resolved_template import ROOT, Resolved

ARN = f"arn:aws:iam::123456789012:oidc-provider/{PROVIDER}"
SIMULATOR = ROOT / "node_modules" / "@cloud-copilot" / "iam-simulate"
PROGRAM = Path(__file__).with_name("trust_policy.mjs")
BOOTSTRAP, PIPELINE = "templates/bootstrap.yaml", "templates/pipeline-role.yaml"
WORKFLOW = "acme/platform-deploy/.github/workflows/dev_deploy.yml"
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
            simulated,
            marks=(
                pytest.mark.slow,
                pytest.mark.skipif(not SIMULATOR.exists(), reason="make check installs the simulator"),
            ),
        ),
    ]
)
def judge(request: pytest.FixtureRequest) -> Judge:
    found: Judge = request.param
    return found


def trust(repository: str, environment: str, **parameters: str) -> dict[str, Any]:
    """The trust policy of the role that deploys the bot, with the account's own provider."""
    given = {"Repository": repository, "Environment": environment, "OidcProviderArn": ARN, **parameters}
    policy: dict[str, Any] = Resolved(given, BOOTSTRAP).resources("AWS::IAM::Role")["PipelineRole"][
        "AssumeRolePolicyDocument"
    ]
    return policy


def trusts(environment: str, repository: str = "acme@123/shop@456", **parameters: str) -> dict[str, dict[str, Any]]:
    """The trust policies of a target's two roles, by the environment of the jobs that assume them."""
    given = {"Repository": repository, "Environment": environment, "OidcProviderArn": ARN, "Workflow": f"{WORKFLOW}@*"}
    roles = Resolved(given | parameters, PIPELINE).resources("AWS::IAM::Role")
    names = {f"{environment}-build": "BuildRole", environment: "Role"}
    return {place: roles[name]["AssumeRolePolicyDocument"] for place, name in names.items()}


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


def test_both_forms_of_the_subject_are_trusted_in_any_capitals(judge: Judge) -> None:
    answers = judge([(trust(repository, name), token) for repository, name, token in ADMITTED])
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


def test_nobody_else_is_trusted(judge: Judge) -> None:
    typed = ("acme/shop", "Acme/Shop", "acme@123/shop@456")
    questions = [(trust(repository, "prod"), token) for repository in typed for token in STRANGERS]
    asked = [(repository, token) for repository in typed for token in STRANGERS]
    assert [case for case, answer in zip(asked, judge(questions), strict=True) if answer] == []


def test_with_ids_a_later_repository_of_the_name_is_refused(judge: Judge) -> None:
    """Names can be taken again when they are free, ids never."""
    policy = trust("acme@123/shop@456", "prod")
    prefixes = ("repo:acme@124/shop@456", "repo:acme@123/shop@457", "repo:acme@1234/shop@456", "repo:acme@123/shop@45")
    assert judge([(policy, whole("acme/shop", "prod", prefix)) for prefix in prefixes]) == [False] * 4


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def job(environment: str, prefix: str = "repo:acme@123/shop@456", **claims: str) -> Claims:
    """A token of a job of the pipeline in that environment, as GitHub makes it for a `repository_dispatch`."""
    return {
        **bare(f"{prefix}:environment:{environment}"),
        "environment": environment,
        "event_name": "repository_dispatch",
        "job_workflow_ref": f"{WORKFLOW}@{COMMIT}",
        "ref": "refs/heads/main",
        "repository": "acme/shop",
        "repository_id": "456",
        **claims,
    }


def test_each_role_of_a_target_takes_its_own_environments_tokens_in_both_forms_and_any_capitals(judge: Judge) -> None:
    prefixes = ("repo:acme/shop", "repo:Acme/Shop", "repo:acme@123/shop@456", "repo:Acme@123/Shop@456")
    asked = []
    for typed in ("acme@123/shop@456", "ACME@123/Shop@456"):
        for place, policy in trusts("prod", typed).items():
            asked += [(policy, job(name, prefix)) for prefix in prefixes for name in (place, place.upper())]
    assert judge(asked) == [True] * len(asked)


def test_neither_role_takes_the_others_tokens(judge: Judge) -> None:
    found = trusts("prod")
    for theirs, other in (("prod", "prod-build"), ("prod-build", "prod")):
        prefixes = ("repo:acme/shop", "repo:acme@123/shop@456")
        assert judge([(found[theirs], job(other, prefix)) for prefix in prefixes]) == [False, False]


OTHERS: dict[str, list[str]] = {
    "aud": ["https://github.com/acme", "platform-deploy:123456789012:eu-west-1:platform-deploy", ""],
    "ref": [
        "refs/heads/x",
        "refs/heads/main2",
        "refs/heads/x/refs/heads/main",
        "refs/tags/main",
        "refs/pull/1/merge",
        "main",
        "",
    ],
    "repository_id": ["457", "4567", "45", "0456", "123", "*", ""],
    "job_workflow_ref": [
        "acme/shop/.github/workflows/dev_deploy.yml@refs/heads/main",
        f"evil/{WORKFLOW}@{COMMIT}",
        f"acme/platform-deploy2/.github/workflows/dev_deploy.yml@{COMMIT}",
        f"acme/platform-deploy/.github/workflows/ci.yml@{COMMIT}",
        f"{WORKFLOW}",
        f"{WORKFLOW}x@{COMMIT}",
        "",
    ],
}


def test_another_branch_workflow_repository_or_audience_is_refused_by_both(judge: Judge) -> None:
    for place, policy in trusts("prod").items():
        good = job(place)
        changed = [good | {name: value} for name, values in OTHERS.items() for value in values]
        without = [{key: value for key, value in good.items() if key != name} for name in (*OTHERS, "sub")]
        others = [good | {"sub": token["sub"]} for token in STRANGERS if "sub" in token and token["aud"] == AUDIENCE]
        others = [token for token in others if token["sub"].lower() not in job_subjects(place)]
        asked = [good, *changed, *without, *others]
        answers = judge([(policy, token) for token in asked])
        assert answers[0] is True
        assert [token for token, answer in zip(asked[1:], answers[1:], strict=True) if answer] == []


def job_subjects(place: str) -> set[str]:
    return {job(place, prefix)["sub"] for prefix in ("repo:acme/shop", "repo:acme@123/shop@456")}


def test_a_commit_of_the_pipeline_can_be_pinned(judge: Judge) -> None:
    for place, policy in trusts("prod", Workflow=f"{WORKFLOW}@{COMMIT}").items():
        moved = f"{WORKFLOW}@{COMMIT[::-1]}"
        assert judge([(policy, job(place)), (policy, job(place, job_workflow_ref=moved))]) == [True, False]


def test_another_default_branch_can_be_named(judge: Judge) -> None:
    for place, policy in trusts("prod", DefaultBranch="trunk").items():
        assert judge([(policy, job(place)), (policy, job(place, ref="refs/heads/trunk"))]) == [False, True]


NAMES = ("acme/shop", "Acme-Co/Shop.API_2", "octo_corp/.github", "a/b", "x" * 39 + "/y")
IDS = ("acme@123/shop@456", "Octo_Corp@1/.github@2")
NO_NAMES = (
    *("acme", "acme/*", "*/shop", "acme/sh?p", "acme/shop:x", "a/b/c", "acme@123/shop", "acme/shop@456"),
    *("acme@*/shop@*", "acme@x/shop@y", "https://github.com/acme/shop", "acme/shop ", "", "${a}/b", "acme@/shop@"),
)
WORKFLOWS = (f"{WORKFLOW}@*", f"{WORKFLOW}@{COMMIT}", f"{WORKFLOW}@refs/heads/main", f"{WORKFLOW}@refs/tags/v1.2.3")
NO_WORKFLOWS = (
    "*",
    f"{WORKFLOW}*",
    WORKFLOW,
    f"{WORKFLOW}@v1*",
    "acme/*/.github/workflows/x.yml@*",
    f"{WORKFLOW}@main",
    "",
)


def test_what_is_typed_in_is_no_wildcard_and_its_pattern_takes_what_github_has() -> None:
    for template, good, bad in ((BOOTSTRAP, (*NAMES, *IDS), NO_NAMES), (PIPELINE, IDS, (*NAMES, *NO_NAMES))):
        parameters = load_yaml((ROOT / template).read_text("utf-8"))["Parameters"]
        repository, environment = (parameters[name]["AllowedPattern"] for name in ("Repository", "Environment"))
        assert [text for text in good if not re.fullmatch(repository, text)] == []
        assert [text for text in bad if re.fullmatch(repository, text)] == []
        for text in ("dev", "Prod", "eu-west_1.prod", "My Environment"):
            assert re.fullmatch(environment, text), text
        for text in ("*", "prod*", "pr?d", "a/b", "a:b", "a@b", "", "${x}"):
            assert not re.fullmatch(environment, text), text
    workflow = parameters["Workflow"]["AllowedPattern"]
    assert [text for text in WORKFLOWS if not re.fullmatch(workflow, text)] == []
    assert [text for text in NO_WORKFLOWS if re.fullmatch(workflow, text)] == []
    assert not re.fullmatch(parameters["DefaultBranch"]["AllowedPattern"], "*")


@pytest.mark.parametrize("repository", ["o" * 39 + "/" + "n" * 100, f"{'o' * 39}@{'1' * 12}/{'n' * 100}@{'2' * 12}"])
def test_the_longest_names_fit_into_a_trust_policy(repository: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: 2,048 characters, without blanks."""
    provider = ARN.replace("arn:aws:", "arn:aws-us-gov:")
    policies = [trust(repository, "e" * 64, OidcProviderArn=provider)]
    if "@" in repository:
        workflow = f"{'o' * 39}/{'n' * 100}/.github/workflows/{'w' * 60}.yml@{COMMIT}"
        policies += trusts("e" * 64, repository, OidcProviderArn=provider, Workflow=workflow).values()
    assert all(len(json.dumps(policy, separators=(",", ":"))) <= 2048 for policy in policies)


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
