"""CodeDeploy's words, taken for what they mean."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from chatops import clock
from chatops.platforms.codedeploy_verdict import (
    Deployment,
    brought,
    named,
    newest,
    read,
    same,
    shifting,
    traffic,
    verdict,
)
from chatops.platforms.rollout import Pause, RolloutState

MODEL = botocore.session.get_session().get_service_model("codedeploy")
M, H, F, O = RolloutState.MOVING, RolloutState.HEALTHY, RolloutState.FAILED, RolloutState.OVERTAKEN  # noqa: E741

STATUSES = dict.fromkeys(("Created", "Queued", "InProgress", "Baking", "Ready"), M)
STATUSES |= {"Succeeded": H, "Failed": F, "Stopped": F}


def s3(key: str, **more: str | None) -> dict[str, Any]:
    return {"revisionType": "S3", "s3Location": {"bucket": "b", "key": key, "bundleType": "tgz", **more}}


def deployment(status: str = "Succeeded", at: float = 10, key: str = "v2", **more: Any) -> Deployment:
    return Deployment(f"d-{at}", status, at, s3(key), **more)


@pytest.mark.parametrize("status", [*STATUSES, "SomethingNew"])
@pytest.mark.parametrize("platform", ["hosts", "ECS"])
def test_its_status_is_taken_at_its_word(status: str, platform: str) -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html"""
    assert set(MODEL.shape_for("DeploymentStatus").enum) == set(STATUSES), "another one is decided about here first"
    counts: dict[str, Any] = {"done": 1, "pending": 3, "instances": 4} if platform == "hosts" else {}
    found = verdict(deployment(status, reason="because", **counts), [])
    assert (found.state, found.status, found.reason) == (STATUSES.get(status, M), status, "because")
    assert (found.running, found.desired, found.pending) == ((1, 4, 3) if counts else (0, 0, 0))
    # its configuration goes by the name that people know
    for config in ("CodeDeployDefault.ECSCanary10Percent5Minutes", "our-own"):
        known = config.removeprefix("CodeDeployDefault.")
        assert verdict(deployment(status, config=config), []).strategy == known


def test_it_waits_for_people_only_while_it_goes_on() -> None:
    pause = Pause("READY_WAIT", "d-10")
    found = verdict(deployment("Ready", pause=pause), [])
    assert (found.state, found.pause, found.lapsed) == (RolloutState.PAUSED, pause, False)
    found = verdict(deployment("Stopped", pause=pause, lapsed=True), [])
    assert (found.state, found.lapsed) == (F, True)


def test_what_codedeploy_says_is_read_whole() -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html"""
    ready = {"deploymentReadyOption": {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 60}}
    ending = {"terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 5}}
    info: dict[str, Any] = {
        "deploymentId": "d-1",
        "status": "Ready",
        "createTime": clock.at(1000.5),
        "revision": s3("v2"),
        "creator": "codeDeployRollback",
        "computePlatform": "ECS",
        "deploymentConfigName": "CodeDeployDefault.ECSCanary10Percent5Minutes",
        "description": "d-abc 123",
        "errorInformation": {"code": "TIMEOUT", "message": "because" * 100},
        "rollbackInfo": {"rollbackDeploymentId": "d-3", "rollbackTriggeringDeploymentId": "d-0"},
        "deploymentOverview": {"Pending": 1, "InProgress": 2, "Succeeded": 4, "Failed": 8, "Skipped": 16, "Ready": 32},
        "blueGreenDeploymentConfiguration": {**ready, **ending},
        "instanceTerminationWaitTimeStarted": False,
    }
    assert read(info) == Deployment(
        id="d-1",
        status="Ready",
        created_at=1000.5,
        revision=s3("v2"),
        creator="codeDeployRollback",
        platform="ECS",
        config="CodeDeployDefault.ECSCanary10Percent5Minutes",
        description="d-abc 123",
        reason=("because" * 100)[:300],
        rolls_back="d-0",
        rolled_back_by="d-3",
        keeping=300,
        pause=Pause("READY_WAIT", "d-1"),
        done=4,
        pending=35,
        instances=63,
    )
    moved = read({**info, "status": "InProgress", "instanceTerminationWaitTimeStarted": True})
    assert (moved.terminating, moved.pause) == (True, None)
    assert verdict(moved, []).lifecycle_stage == "TERMINATION_WAIT"
    assert verdict(moved, []).baking == 300
    assert read({"deploymentId": "d-1", "status": "Created"}) == Deployment("d-1", "Created")
    assert not moved.lapsed
    assert read({**info, "status": "Stopped"}).lapsed, "nobody let it go on in time"
    over = read({**info, "status": "Succeeded", "instanceTerminationWaitTimeStarted": True})
    assert (over.terminating, verdict(over, []).lifecycle_stage) == (False, "")


@pytest.mark.parametrize("creator", MODEL.shape_for("DeploymentCreator").enum)
@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Stopped"])
def test_who_made_a_newer_deployment_decides_whether_ours_is_overtaken(creator: str, status: str) -> None:
    to_instances = creator in ("autoscaling", "autoscalingTermination", "CodeDeployAutoUpdate")
    newer = deployment("Succeeded", 20, "v9", creator=creator)
    assert verdict(deployment(status), [newer]).state is (STATUSES[status] if to_instances else O)
    assert verdict(deployment(status), [deployment("Succeeded", 20, creator=creator)]).state is STATUSES[status]


@pytest.mark.parametrize("link", ["rolled_back_by", "rolls_back"])
@pytest.mark.parametrize(
    ("state", "wanted", "restoring"),
    [
        ("Created", "v1", True),
        ("InProgress", "v1", True),
        ("Succeeded", "v1", True),
        ("Failed", "v1", False),
        ("Stopped", "v1", False),
        ("Succeeded", "v0", False),
        ("Succeeded", None, False),
    ],
)
def test_its_own_rollback_is_left_to_it_where_it_leads_to_what_is_wanted(
    link: str, state: str, wanted: str | None, restoring: bool
) -> None:
    ours = deployment("Failed", reason="because", rolled_back_by="d-20" if link == "rolled_back_by" else "")
    back = Deployment(
        "d-20", state, 20, s3("v1"), "codeDeployRollback", rolls_back="" if link == "rolled_back_by" else ours.id
    )
    found = verdict(ours, [back], s3(wanted) if wanted else None)
    assert (found.state, found.restoring, found.status, found.reason) == (F, restoring, "Failed", "because")
    assert found.restored_by == ("d-20" if restoring else "")


def test_what_somebody_deploys_after_the_rollback_overtakes_both() -> None:
    back = deployment("Succeeded", 20, "v1", creator="codeDeployRollback", rolls_back="d-10")
    found = verdict(deployment("Failed", reason="because"), [back, deployment("InProgress", 30, "v9")], s3("v1"))
    assert (found.state, found.restoring, found.status, found.reason) == (O, False, "Failed", "because")


APPSPEC = {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "abc"}}


def _appspec(content: str) -> dict[str, Any]:
    return {**APPSPEC, "appSpecContent": {"sha256": "abc", "content": content}}


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (s3("a"), s3("a"), True),
        (s3("a"), s3("b"), False),
        (s3("a"), s3("a", eTag="1"), True),
        (s3("a", eTag="1"), s3("a", eTag="2"), False),
        (s3("a", version="1"), s3("a", version="2"), False),
        (APPSPEC, _appspec("{}"), True),
        (APPSPEC, {**APPSPEC, "appSpecContent": {"sha256": "def"}}, False),
        (APPSPEC, s3("a"), False),
        (s3("a", eTag=None), s3("a", eTag="1"), True),
        (_appspec("{}"), _appspec("{ }"), True),
        (s3("a"), {**s3("a"), "revisionType": "GitHub"}, False),
        ({**s3("a"), "revisionType": None}, {**s3("a"), "revisionType": None}, False),
        ({"revisionType": "S3", "gitHubLocation": None, "s3Location": {"key": "a"}}, s3("a"), True),
        ({}, {}, False),
        ({"revisionType": "S3"}, {"revisionType": "S3"}, False),
    ],
)
def test_revisions_are_one_where_all_that_both_say_agrees(one: Any, other: Any, wanted: bool) -> None:
    assert same(one, other) is same(other, one) is wanted


SETS = [{"taskSetLabel": "Blue", "trafficWeight": 90.0}, {"taskSetLabel": "Green", "trafficWeight": 10.0}]
EVENTS = [
    {"lifecycleEventName": "Install", "status": "Succeeded"},
    {"lifecycleEventName": "AllowTraffic", "status": "InProgress"},
    {"lifecycleEventName": "AfterAllowTraffic", "status": "Pending"},
]


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ({"ecsTarget": {"lifecycleEvents": EVENTS, "taskSetsInfo": SETS}}, ("AllowTraffic", 10.0)),
        ({"ecsTarget": {"lifecycleEvents": EVENTS[:1], "taskSetsInfo": SETS[:1]}}, ("", None)),
        ({"lambdaTarget": {"lifecycleEvents": EVENTS, "lambdaFunctionInfo": {}}}, ("AllowTraffic", None)),
        ({"ecsTarget": {"taskSetsInfo": [{"taskSetLabel": "Green", "trafficWeight": 0.0}]}}, ("", 0.0)),
        ({"lambdaTarget": {"lifecycleEvents": [{"status": "InProgress"}]}}, ("", None)),
        ({"instanceTarget": {}}, ("", None)),
        ({}, ("", None)),
    ],
)
def test_where_the_traffic_is(target: dict[str, Any], wanted: tuple[str, float | None]) -> None:
    assert traffic(target) == wanted


@pytest.mark.parametrize(
    ("routing", "minutes"),
    [
        ({"type": "AllAtOnce"}, 0),
        ({"timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 15}}, 15),
        ({"timeBasedLinear": {"linearPercentage": 10, "linearInterval": 3}}, 27),
        ({"timeBasedLinear": {"linearPercentage": 30, "linearInterval": 5}}, 15),
        ({"timeBasedLinear": {}}, 0),
        ({"timeBasedLinear": {"linearPercentage": 10}}, 0),
        ({"timeBasedLinear": {"linearInterval": 3}}, 0),
        ({"timeBasedCanary": {"canaryPercentage": 10}}, 0),
        (None, 0),
    ],
)
def test_how_long_a_configuration_moves_the_traffic(routing: dict[str, Any] | None, minutes: int) -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html"""
    assert shifting({"trafficRoutingConfig": routing} if routing else {}) == 60 * minutes


def test_the_newest_is_by_time_and_not_by_place_in_the_list() -> None:
    three = [deployment(at=20), deployment(at=30), deployment(at=10)]
    assert newest(three) == three[1]
    assert newest([]) is None
    own = deployment(at=40, creator="codeDeployRollback")
    assert newest([*three, own]) == own
    assert brought([*three, own]) == three[1]


def test_a_description_names_ours_by_its_first_word() -> None:
    ours, other = deployment(description="d-abc 123 v2"), deployment(at=20, description="d-abcd 123")
    silent = deployment(at=30)
    assert named([ours, other, silent], "d-abc") == ours
    assert named([ours, other], "d-x") is None
