"""make policies: the functions may do to the targets of targets.yaml what they need, and to nothing else anything."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session

from scripts import policies
from scripts.target_access import ACCESS, PARAMETERS, Place, of_function, of_role, size
from tests.unit.iam import allowed
from tests.unit.resolved_template import OURS, ROOT, Resolved

TARGETS = """
targets:
  dev:
    ecs: {cluster: shop, service: shop-dev}
  tokyo:
    ecs: {cluster: shop, service: shop-api, task_role: shop-task, execution_role: shop-start}
    region: ap-northeast-1
  prod:
    ecs: {cluster: shop, service: shop-prod}
    role_arn: arn:aws:iam::210987654321:role/platform-deploy-prod
  batch:
    codedeploy: {application: batch, group: live}
  vm: {}
"""
OURS_IN = "arn:aws:ecs:eu-west-1:123456789012"
ROLE = "arn:aws:iam::210987654321:role/platform-deploy-prod"


@cache
def unset() -> dict[str, str]:
    """The templates' texts, by path, for the parameters' target."""
    return {str(path): text for path, text in policies.filled(ROOT, PARAMETERS).items()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The repository's templates as they are for the parameters' target, whatever targets.yaml lies in it."""
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    (tmp_path / "lambdas/shared").mkdir(parents=True)
    for path, text in unset().items():
        (tmp_path / path).write_text(text, "utf-8")
    return tmp_path


def put(root: Path, text: str) -> None:
    (root / policies.TARGETS).write_text(text, "utf-8")


def granted(root: Path) -> dict[str, list[dict[str, Any]]]:
    """The statements of each function, as they would be deployed."""
    functions = Resolved(file=str(root / "template.yaml"), parameters=OURS).resources("AWS::Serverless::Function")
    found: dict[str, list[dict[str, Any]]] = {}
    for name, each in functions.items():
        found[name] = [one for policy in each.get("Policies", []) for one in policy["Statement"]]
    return found


def test_the_templates_in_the_repository_name_its_targets() -> None:
    assert policies.main(["--check"], ROOT) == 0


def test_written_once_checked_and_taken_back(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (root / "template.yaml").read_text()
    put(root, TARGETS)
    assert policies.main(["--check"], root) == 1
    assert "run `make policies` and commit both" in capsys.readouterr().err
    assert (root / "template.yaml").read_text() == before, "a check changes nothing"
    assert policies.main([], root) == 0
    written = (root / "template.yaml").read_text()
    assert policies.main(["--check"], root) == 0
    assert policies.main([], root) == 0
    assert (root / "template.yaml").read_text() == written
    (root / policies.TARGETS).unlink()
    assert policies.main([], root) == 0
    assert (root / "template.yaml").read_text() == before


def test_each_target_is_named_to_the_letter(root: Path) -> None:
    put(root, TARGETS)
    assert policies.main([], root) == 0
    may, roles = granted(root)["RestoreFunction"], "arn:aws:iam::123456789012:role"
    wanted = [
        ("ecs:UpdateService", f"{OURS_IN}:service/shop/shop-dev"),
        ("ecs:UpdateService", "arn:aws:ecs:ap-northeast-1:123456789012:service/shop/shop-api"),
        ("ecs:StopServiceDeployment", f"{OURS_IN}:service-deployment/shop/shop-dev/x1"),
        ("codedeploy:CreateDeployment", "arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:batch/live"),
        ("iam:PassRole", f"{roles}/shop-task"),
        ("iam:PassRole", f"{roles}/ecsTaskExecutionRole"),  # the stack's own, for dev
        ("sts:AssumeRole", ROLE),
    ]
    assert [each for each in wanted if not allowed(may, *each)] == []
    others = ("shop/shop-prod", "shop/shop-api", "shop/shop-dev2", "other/shop-dev")
    foreign = [
        *(("ecs:UpdateService", f"{OURS_IN}:service/{other}") for other in others),
        ("ecs:UpdateService", "arn:aws:ecs:eu-west-1:210987654321:service/shop/shop-dev"),
        ("iam:PassRole", f"{roles}/admin"),
        ("sts:AssumeRole", f"{ROLE}2"),
    ]
    assert [each for each in foreign if allowed(may, *each)] == []


def test_who_only_looks_changes_nothing(root: Path) -> None:
    put(root, TARGETS)
    policies.main([], root)
    dev, functions = f"{OURS_IN}:service/shop/shop-dev", granted(root)
    for name in ("PlanFunction", "EcsFunction"):
        may = functions[name]
        assert allowed(may, "ecs:DescribeServices", dev)
        assert allowed(may, "sts:AssumeRole", ROLE)
        for action in ("ecs:UpdateService", "ecs:StopServiceDeployment", "iam:PassRole", "codedeploy:CreateDeployment"):
            assert not any(action in each["Action"] for each in may), (name, action)
    for name in ("SlackFunction", "SettleFunction", "StageFunction", "NotifyFunction"):
        assert not any("ecs:" in str(each) or "sts:" in str(each) for each in functions[name]), name


def test_machines_over_ssh_need_no_policy_at_all(root: Path) -> None:
    put(root, "targets: {vm: {}}")
    assert policies.main([], root) == 0
    functions = granted(root)
    assert [name for name in ACCESS if re.search("ecs:|codedeploy:|PassRole|sts:", str(functions[name]))] == []


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("ecs: {cluster: 'arn:aws:ecs:eu-west-1:1:cluster/shop', service: api}", "the cluster's name, not its ARN"),
        ("ecs: {cluster: shop, service: '*'}", "the service's name"),
        ("ecs: {cluster: shop, service: 'shop-*'}", "the service's name"),
        ("ecs: {cluster: '${AWS::StackName}', service: api}", "the cluster's name"),
        ("ecs: {cluster: shop, service: api, task_role: '*'}", "a role's name"),
        ("codedeploy: {application: '?', group: live}", "the application's name"),
        ("ecs: {cluster: c, service: s}, role_arn: 'arn:aws:iam::210987654321:role/*'", "one role's ARN"),
        ("ecs: {cluster: c}", "lacks service"),
    ],
)
def test_what_would_allow_more_than_one_target_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str], target: str, complaint: str
) -> None:
    before = (root / "template.yaml").read_text()
    put(root, f"targets: {{prod: {{{target}}}}}")
    assert policies.main([], root) == 1
    said = capsys.readouterr().err
    assert complaint in said
    assert "prod" in said
    assert (root / "template.yaml").read_text() == before


def test_more_than_iam_takes_is_refused_with_the_way_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def many(count: int, more: str = "") -> str:
        return "targets:\n" + "".join(
            f"  t{n}:\n    ecs: {{cluster: checkout, service: checkout-api-{n}}}\n{more.format(n=n)}"
            for n in range(count)
        )

    put(root, many(15))
    assert policies.main([], root) == 0
    put(root, many(60))
    assert policies.main([], root) == 1
    assert "role_arn" in capsys.readouterr().err
    put(root, many(60, "    role_arn: arn:aws:iam::210987654321:role/deploy-{n}\n"))
    assert policies.main([], root) == 0


def test_the_rest_of_each_policy_fits_beside_the_targets(root: Path) -> None:
    functions = granted(root)
    for name in ACCESS:
        whole = len(str(functions[name]).replace(" ", ""))
        assert whole - size(of_function(name, PARAMETERS)) < 10_240 - policies.LIMIT


def test_a_lost_mark_is_an_error_and_not_a_lost_policy(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = root / "template.yaml"
    path.write_text(path.read_text().replace("# PlanFunction: end\n", "\n"))
    assert policies.main([], root) == 1
    assert "marks" in capsys.readouterr().err


def test_every_call_to_ecs_and_codedeploy_is_one_that_a_role_may_make() -> None:
    session = get_session()
    calls: set[str] = set()
    for service, file in (("ecs", "ecs_service.py"), ("codedeploy", "codedeploy_group.py")):
        model = session.get_service_model(service)
        methods = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): name for name in model.operation_names}
        text = (ROOT / "lambdas/shared/chatops/platforms" / file).read_text()
        made = set(re.findall(r"(?:_ecs|client)\.(\w+)", text)) & methods.keys()
        assert made, file
        calls |= {f"{service}:{methods[name]}" for name in made}
    role = {action for kind in ("ecs", "codedeploy") for each in of_role(kind) for action in each.actions}
    assert calls <= role
    assert role - calls == {"iam:PassRole", "codedeploy:RegisterApplicationRevision"}


def test_the_role_of_another_account_trusts_and_allows_exactly_one_target() -> None:
    trusted = "arn:aws:iam::123456789012:role/plan,arn:aws:iam::123456789012:role/ecs"
    ours = {"EcsClusterName": "shop", "EcsServiceName": "shop-prod", "TrustedRoleArns": trusted}
    resolved = Resolved(ours, "templates/target-role.yaml")
    (role,) = resolved.resources("AWS::IAM::Role").values()
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": trusted.split(",")}
    (policy,) = resolved.resources("AWS::IAM::RolePolicy").values()
    may = policy["PolicyDocument"]["Statement"]
    assert allowed(may, "ecs:UpdateService", f"{OURS_IN}:service/shop/shop-prod")
    assert not allowed(may, "ecs:UpdateService", f"{OURS_IN}:service/shop/shop-dev")
    assert not any("codedeploy" in str(each) for each in may)
    passing = [each for each in may if "iam:PassRole" in each["Action"]]
    assert passing[0]["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    batch = {"CodeDeployAppName": "batch", "CodeDeployGroupName": "live", "TrustedRoleArns": trusted}
    (policy,) = Resolved(batch, "templates/target-role.yaml").resources("AWS::IAM::RolePolicy").values()
    assert policy["PolicyName"] == "codedeploy"


def test_the_same_role_twice_is_one_line() -> None:
    twice = (Place(role_arn=ROLE), Place(role_arn=ROLE))
    (statement,) = of_function("PlanFunction", twice)
    assert statement.resources == (ROLE,)
