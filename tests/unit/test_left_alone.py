"""What a deployment did not change, or somebody else has changed since, is not put back: on ECS.

https://github.com/aws/copilot-cli/issues/4838. CodeDeploy's are in test_codedeploy_restore.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.target import Target
from chatops.platforms.ecs_ours import TAG
from chatops.steps import restore
from fakes.ecs import Ecs
from fakes.faults import Fault
from tests.unit.steps import call
from tests.unit.test_pipeline_aws import release
from tests.unit.test_service_statuses import ecs

__all__ = ["ecs", "release"]

ID = "d-1"
BUILT = "registry/app@sha256:" + "9" * 64
CHANGES = ("UpdateService", "StopServiceDeployment")


def put_back(ecs: Ecs, wanted: str, **more: Any) -> tuple[str, list[str]]:
    """How the release `wanted` is put back, and what was changed for that. `more`: of the deployment's state."""
    before = len(ecs.calls)
    plan = {"target": "dev", "command": "deploy", "previous": {"task_definition": wanted}, **more.pop("plan", {})}
    state = {"plan": plan, "build": {"stage": "build", "outputs": {"image": BUILT}}, **more}
    how = call(restore.run, {"deployment_id": ID, "state": state})["how"]
    return how, [each.operation for each in ecs.calls[before:] if each.operation in CHANGES]


def ours(ecs: Ecs) -> str:
    return ecs.register_task_definition(BUILT, deployment=ID)


def hotfix(ecs: Ecs, deployment: str = "") -> str:
    """Somebody else's: by hand or, with an id, the bot's own."""
    made = ecs.register_task_definition("registry/app:hotfix", deployment=deployment)
    ecs.update_service(made)
    return made


def test_the_tag_is_the_one_that_the_pipeline_sets(release: Any) -> None:
    assert release.release_ecs.task_definition.TAG == TAG


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("reported", [False, True])
def test_what_broke_before_it_changed_the_service_leaves_it_untouched(
    ecs: Ecs, registered: bool, reported: bool
) -> None:
    wanted = ecs.describe()["taskDefinition"]
    made = ours(ecs) if registered else ""
    outputs = {"task_definition": made} if reported and made else {}
    state = {"stage": "deploy", "state": "failed", "done": True, "outputs": outputs}
    assert put_back(ecs, wanted, deploy=state) == ("untouched", [])


@pytest.mark.parametrize("whose", ["", "d-2"])
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("listed", [False, True])
def test_a_hotfix_that_was_put_live_meanwhile_stays(ecs: Ecs, whose: str, begun: bool, listed: bool) -> None:
    """Whether ours had begun to change the service before it, and whether ECS lists service deployments, or not."""
    ecs.service_deployments = listed
    wanted = ecs.describe()["taskDefinition"]
    if begun:
        ecs.update_service(ours(ecs))
    made = hotfix(ecs, whose)
    assert put_back(ecs, wanted) == ("overtaken", [])
    assert ecs.describe()["taskDefinition"] == made


@pytest.mark.parametrize("known", ["by its tag", "by its image", "as reported", "not readable"])
def test_what_is_our_own_is_put_back(ecs: Ecs, known: str) -> None:
    wanted, more = ecs.describe()["taskDefinition"], {}
    made = ours(ecs) if known == "by its tag" else ecs.register_task_definition("registry/app:v9")
    if known == "by its image":
        made = ecs.register_task_definition("registry/app:v9@" + BUILT.partition("@")[2])
    if known == "as reported":
        more = {"deploy": {"stage": "deploy", "outputs": {"task_definition": made}}}
    ecs.update_service(made)
    if known == "not readable":
        ecs.faults.append(Fault("DescribeTaskDefinition", status=400, code="ClientException"))
    assert put_back(ecs, wanted, **more) == ("stop_service_deployment", ["StopServiceDeployment"])


def test_a_throttled_look_is_no_answer(ecs: Ecs) -> None:
    wanted = ecs.describe()["taskDefinition"]
    hotfix(ecs)
    ecs.faults.append(Fault("DescribeTaskDefinition", status=400, code="ThrottlingException", times=9))
    with pytest.raises(Exception, match="Throttling"):
        put_back(ecs, wanted)


@pytest.mark.parametrize("asked", ["by command", "of a pipeline that tags nothing"])
def test_a_rollback_that_a_person_wants_and_one_of_an_unknown_release_are_carried_out(
    ecs: Ecs, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ecs.describe()["taskDefinition"]
    hotfix(ecs)
    if asked == "by command":
        assert put_back(ecs, wanted, plan={"command": "rollback"})[1] == ["StopServiceDeployment"]
        return
    target = Target("dev", "acme/shop", "dev_deploy", cluster="checkout", service="checkout-api", claim=False)
    monkeypatch.setattr(restore, "targets", lambda: {"dev": target})
    assert put_back(ecs, wanted)[1] == ["StopServiceDeployment"]


def test_what_is_left_alone_is_not_marked_as_rolled_back(ecs: Ecs, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, marked = ecs.describe()["taskDefinition"], []
    monkeypatch.setattr(restore, "leave", lambda *_: marked.append(1))
    put_back(ecs, wanted)
    hotfix(ecs)
    put_back(ecs, wanted)
    assert marked == []
