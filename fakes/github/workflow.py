"""The fake's copy of what the workflow file says: its name, its jobs and their steps."""

from __future__ import annotations

WORKFLOW_NAME = "ChatOps Deploy"
WORKFLOW_PATH = ".github/workflows/dev_deploy.yml"
WORKFLOW_ID = 95_010_417

CLAIM = "Claim the stage"
FINISH = "Finish the stage"
BUILD = "Build image"

#: The steps that do a stage's work, between the claim and the finish.
WORK_STEPS: dict[str, tuple[str, ...]] = {
    "build": ("Check out", "Test", BUILD),
    "deploy": ("Register task definition", "Update service"),
    "rollback": ("Restore release", "Health check"),
}

#: Where a failing stage fails unless its script says otherwise.
USUAL_FAILURE = {"build": "Test", "deploy": "Update service", "rollback": "Health check"}


def workflow_id(path: str) -> int:
    """GitHub's number for the workflow at this path."""
    return WORKFLOW_ID + (0 if path == WORKFLOW_PATH else 1000 + sum(path.encode()))


def job_name(stage: str) -> str:
    """The job that carries out a stage; an event without a stage runs the build job's checks only."""
    return stage if stage in WORK_STEPS else "build"


def step_names(stage: str, *, with_bot: bool = True) -> list[str]:
    """All steps as GitHub lists them: its own first and last ones stand around the workflow's.

    A pipeline of somebody else's making has neither claim nor finish (`with_bot` False).
    """
    work = WORK_STEPS[job_name(stage)]
    return ["Set up job", *((CLAIM, *work, FINISH) if with_bot else work), "Complete job"]


def run_title(payload_id: object, stage: object, event_type: str) -> str:
    """The run's `display_title`: the workflow's `run-name: ${deployment_id} ${stage}`.

    GitHub falls back to the event's type when the expression comes out blank.
    https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#run-name
    """
    return f"{payload_id or ''} {stage or ''}".strip() or event_type
