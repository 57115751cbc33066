"""English: what services report, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

TEXTS: dict[TextKey, str] = {
    # stages of the pipeline
    "stage_build": "build",
    "stage_deploy": "deploy job",
    "stage_rollback": "rollback job",
    # what ECS and CodeDeploy call a rollout's status
    "state_queued": "Waiting to start",
    "state_rolling": "Rolling out",
    "state_baking": "Rolled out; watched for a while before it counts",
    "state_ready": "Ready; production traffic not moved yet",
    "state_complete": "✅ Complete",
    "state_stopping": "Stopping",
    "state_stopped": "⏹️ Stopped",
    "state_restoring": "⏪ Rolling back",
    "state_restored": "⏪ Rolled back",
    "state_restore_failed": "❌ Rollback failed",
    "state_failed": "❌ Failed",
    "state_other": "In a state that this bot doesn't know",
    # where a rollout pauses
    "place_prepare": "before the rollout starts",
    "place_before_tasks": "before new tasks start",
    "place_tasks": "during scale-up",
    "place_after_tasks": "before test traffic",
    "place_test": "during the shift of test traffic",
    "place_before_traffic": "before production traffic",
    "place_traffic": "during the shift of production traffic",
    "place_after_traffic": "after production traffic has moved",
    "place_bake": "during bake time",
    "place_clean": "before the old tasks end",
    "place_other": "during the rollout",
    # how a run on GitHub ended
    "result_failed": "failed",
    "result_cancelled": "was cancelled",
    "result_timed_out": "ran out of time",
    "result_neutral": "ended without a result",
    "result_skipped": "was skipped",
    "result_stale": "was given up by GitHub",
    "result_action_required": "waits for an approval on GitHub",
    "result_startup": "could not be started by GitHub: its workflow file is invalid",
    "result_deleted": "was deleted on GitHub",
    "result_never": "never started",
    "result_refused": "was refused by GitHub",
    "result_other": "ended without success",
    # how a deployment ended
    "outcome_deployed": "Deployed",
    "outcome_restored": "Rolled back",
    "outcome_rolled_back": "Failed, rolled back",
    "outcome_build_failed": "Build failed",
    "outcome_deploy_failed": "Not deployed",
    "outcome_rollback_failed": "Rollback not confirmed",
    "outcome_rejected": "Rejected",
    "outcome_expired": "Expired",
    "outcome_cancelled": "Cancelled",
    "outcome_refused": "Not possible",
    "outcome_stopped": "Stopped",
    # how ECS rolls out
    "strategy_rolling": "Rolling",
    "strategy_blue_green": "Blue/green",
    "strategy_linear": "Linear",
    "strategy_canary": "Canary",
    # lists of people
    "people_or": "{people} or {last}",
}
