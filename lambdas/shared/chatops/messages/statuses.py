"""What ECS, CodeDeploy, GitHub and Step Functions report, in words. Pure.

Their own words never reach a person; one that isn't known here gets a neutral sentence, and stands in the details.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatops.messages.catalogue import plain
from chatops.platforms.codedeploy_verdict import TERMINATION

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

ROLLOUTS: dict[str, TextKey] = {
    # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
    "PENDING": "state_queued",
    "IN_PROGRESS": "state_rolling",
    "SUCCESSFUL": "state_complete",
    "STOP_REQUESTED": "state_stopping",
    "STOPPED": "state_stopped",
    "ROLLBACK_REQUESTED": "state_restoring",
    "ROLLBACK_IN_PROGRESS": "state_restoring",
    "ROLLBACK_SUCCESSFUL": "state_restored",
    "ROLLBACK_FAILED": "state_restore_failed",
    # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html (rolloutState)
    "COMPLETED": "state_complete",
    "FAILED": "state_failed",
    # https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html
    "Created": "state_queued",
    "Queued": "state_queued",
    "InProgress": "state_rolling",
    "Baking": "state_baking",
    "Ready": "state_ready",
    "Succeeded": "state_complete",
    "Stopped": "state_stopped",
    "Failed": "state_failed",
}
_FINAL = ("state_complete", "state_stopped", "state_restored", "state_restore_failed", "state_failed")
PLACES: dict[str, TextKey] = {
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
    "RECONCILE_SERVICE": "place_prepare",
    "PRE_SCALE_UP": "place_before_tasks",
    "SCALE_UP": "place_tasks",
    "POST_SCALE_UP": "place_after_tasks",
    "TEST_TRAFFIC_SHIFT": "place_test",
    "POST_TEST_TRAFFIC_SHIFT": "place_before_traffic",
    "PRE_PRODUCTION_TRAFFIC_SHIFT": "place_before_traffic",
    "PRODUCTION_TRAFFIC_SHIFT": "place_traffic",
    "POST_PRODUCTION_TRAFFIC_SHIFT": "place_after_traffic",
    "BAKE_TIME": "place_bake",
    "CLEAN_UP": "place_clean",
    # CodeDeploy waits before it moves the traffic
    "Ready": "place_before_traffic",
    TERMINATION: "place_clean",
}
STRATEGIES: dict[str, TextKey] = {
    "ROLLING": "strategy_rolling",
    "BLUE_GREEN": "strategy_blue_green",
    "LINEAR": "strategy_linear",
    "CANARY": "strategy_canary",
}
RESULTS: dict[str, TextKey] = {
    # GitHub's conclusions: https://docs.github.com/en/rest/actions/workflow-runs. Even a success is one of a stage that
    # did not succeed when it stands here.
    "success": "result_other",
    "failure": "result_failed",
    "cancelled": "result_cancelled",
    "timed_out": "result_timed_out",
    "neutral": "result_neutral",
    "skipped": "result_skipped",
    "stale": "result_stale",
    "action_required": "result_action_required",
    "startup_failure": "result_startup",
    # a stage's own states
    "failed": "result_failed",
    "deleted": "result_deleted",
    "never_appeared": "result_never",
    "refused": "result_refused",
}
EXECUTIONS: dict[str, TextKey] = {
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
    "ABORTED": "ended_aborted",
    "TIMED_OUT": "ended_timed_out",
    "FAILED": "ended_failed",
    "GONE": "ended_gone",
}


def rollout(status: str, *, ended: bool = False) -> str:
    """A rollout's status; empty for none. `ended`: the deployment has, and whatever goes on is no longer true."""
    key = ROLLOUTS.get(status, "state_other")
    return plain(key) if status and (not ended or key in _FINAL) else ""


def place(stage: str) -> str:
    """Where a rollout is, as a part of a sentence: `before production traffic`."""
    return plain(PLACES.get(stage, "place_other"))


def strategy(name: str) -> str:
    """How it is rolled out; the name of CodeDeploy's configuration as it is."""
    key = STRATEGIES.get(name)
    return plain(key) if key else name


def result(conclusion: str) -> str:
    """How a run ended that did not succeed, as a part of a sentence: `was cancelled`."""
    return plain(RESULTS.get(conclusion, "result_other"))


def execution(status: str) -> str:
    """A sentence: how the execution ended from outside."""
    return plain(EXECUTIONS.get(status, "ended_otherwise"))


def unknown(rollout_status: str, *conclusions: str) -> list[str]:
    """Those of a deployment's statuses that have no words."""
    strange = [rollout_status] if rollout_status and rollout_status not in ROLLOUTS else []
    return strange + [each for each in conclusions if each and each not in RESULTS]
