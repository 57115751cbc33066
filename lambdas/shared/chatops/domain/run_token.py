"""Which run of which workflow a job's OIDC token of GitHub speaks for, and which one a stage waits for.

Claims: https://docs.github.com/en/actions/reference/security/oidc. All of them are texts, ids and numbers too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from chatops.domain.target import PIPELINE_FILE
from chatops.values import dataclass

EVENT = "repository_dispatch"
_RUN_ID = re.compile(r"[1-9][0-9]{0,17}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class ExpectedRun:
    """The run that may claim a stage. `repository_id`: GitHub's number of the target's repository; `branch`: its
    default branch; `workflow`: path of the workflow that the event starts; `pipeline`: owner/name of the only
    repository whose dev_deploy.yml that workflow may call, empty where its file decides; `environment`: the job's.

    Without a `repository_id` no run is expected: the event was not sent yet, or the target has `claim: false`.
    """

    repository_id: str = ""
    branch: str = ""
    workflow: str = ""
    pipeline: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class RunToken:
    """The claims of a verified token, empty where it has none of that name. `run_id` is 0 where it isn't a number."""

    repository: str = ""
    repository_id: str = ""
    run_id: int = 0
    run_attempt: str = ""
    event_name: str = ""
    ref: str = ""
    workflow_ref: str = ""
    job_workflow_ref: str = ""
    environment: str = ""

    @classmethod
    def of(cls, claims: Mapping[str, object]) -> RunToken:
        """The token with these claims."""
        found = {name: value for name in cls.__slots__ if isinstance(value := claims.get(name), str)}
        number = found.pop("run_id", "")
        return cls(**found, run_id=int(number) if _RUN_ID.fullmatch(number) else 0)


def objection(expected: ExpectedRun, token: RunToken) -> str:
    """Why the token's run isn't the expected one: the claim, what it should be, and what to do. Empty where it is."""
    if not expected.repository_id:
        return "no run is expected to claim it: its event was not sent yet, or its target has claim: false"
    if token.run_attempt != "1" and token.repository_id == expected.repository_id:
        return "a re-run of a stage deploys nothing; start a new deployment instead"
    ref = f"refs/heads/{expected.branch}"
    for claim, wanted, advice in (
        (
            "repository_id",
            expected.repository_id,
            "Only the target's own repository may claim (repository in targets.yaml).",
        ),
        ("event_name", EVENT, "Only the bot's own event starts a stage."),
        ("ref", ref, "The workflow must run on the default branch."),
    ):
        if (found := getattr(token, claim)) != wanted:
            return _different(claim, found, wanted, advice)
    if not token.run_id:
        return _different("run_id", "", "a number", "Ask for the token in a job of GitHub Actions.")
    workflow = f"{token.repository}/{expected.workflow}@{ref}"
    if not _same_workflow(token.workflow_ref, workflow):
        advice = "Set workflow of the target in targets.yaml to the file that listens to its event."
        return _different("workflow_ref", token.workflow_ref, workflow, advice)
    if wanted := _other_pipeline(expected, token, ref):
        advice = "Set pipeline of the target in targets.yaml to the repository whose workflow is called."
        return _different("job_workflow_ref", token.job_workflow_ref, wanted, advice)
    # GitHub's environments are the same in any capitals
    if token.environment.lower() != expected.environment.lower():
        advice = "Set the job's environment to it."
        return _different("environment", token.environment, expected.environment, advice)
    return ""


def _other_pipeline(expected: ExpectedRun, token: RunToken, ref: str) -> str:
    """The job_workflow_ref that was expected, where the token's is another one.

    A job of a workflow that calls no other one has the workflow_ref there. What a caller calls stands in its own file
    on the default branch, which was looked at before: at a commit, it is the file that was reviewed there, whoever's it
    is. A branch or a tag may move: of the repository itself only the default branch counts, of another one only those
    of the `pipeline` that the target names.
    """
    called = f"{expected.pipeline or token.repository}/{PIPELINE_FILE}"
    file, _, at = token.job_workflow_ref.partition("@")
    if expected.pipeline:
        return "" if at and _same_workflow(file, called) else f"{called}@…"
    if _same_workflow(token.job_workflow_ref, token.workflow_ref):
        return ""
    if _COMMIT.fullmatch(at) and file.endswith(f"/{PIPELINE_FILE}"):
        return ""
    return "" if at == ref and _same_workflow(file, called) else f"{called}@{ref}, or that file at a commit"


def _same_workflow(one: str, other: str) -> bool:
    """Owner and repository are the same in any capitals, files and refs are not."""
    return _folded(one) == _folded(other)


def _folded(ref: str) -> tuple[str, ...]:
    owner, _, rest = ref.partition("/")
    name, _, file = rest.partition("/")
    return owner.lower(), name.lower(), file


def _different(claim: str, found: str, wanted: str, advice: str) -> str:
    have = ascii(found[:150]) if found else "missing"
    return f"the token's {claim} is {have} and should be {wanted}. {advice}"
