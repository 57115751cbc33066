"""What a workflow must be for deployments to work: what `make caller` writes, or this project's own pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from doctor.workflow_file import Part, Workflow, steps
from pipeline.caller import PIPELINE, RUN_NAME

ADDRESS = ("CHATOPS_URL", "CHATOPS_AUDIENCE")
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_REUSABLE = re.compile(
    r"[$.]/\.github/workflows/[\w.-]+\.ya?ml|[\w.-]+/[\w.-]+/\.github/workflows/[\w.-]+\.ya?ml@[\w./-]+"
)
_LACKS = {
    "permissions": "A called workflow may not have more than its caller: the run ends in startup_failure and claims "
    "nothing.",
    "with": "The pipeline claims its stages somewhere else than at this bot: nothing is deployed, or somebody else "
    "says what is.",
    "secrets": "A called workflow has none but those it is given, not even its environment's: it can sign in nowhere.",
}


@dataclass(frozen=True)
class Fault:
    """Something about the file: where, what, what it causes, what to do. `grave` false: it works for now."""

    line: int
    what: str
    causes: str
    todo: str
    grave: bool = True


def run_name(workflow: Workflow) -> Iterator[Fault]:
    """The run's name must be the deployment's id and the stage."""
    found = workflow.root.at("run-name")
    if found is not None and _EXPRESSION.sub(r"${{ \1 }}", found.text.strip()) == RUN_NAME:
        return
    yield Fault(
        found.line if found is not None else 1,
        f"its run-name is {found.text!r}" if found is not None else "it has no run-name",
        "A run that has not claimed yet cannot be found by name: “the run never appeared” is said of runs that wait in "
        "GitHub's queue, and a cancel cannot reach them.",
        f'Write at its top, as one line: run-name: "{RUN_NAME}" and nothing else.',
    )


def calls(workflow: Workflow) -> dict[str, Part]:
    """Its jobs that call a reusable workflow, by id."""
    return {name: job for name, job in workflow.jobs.items() if job.at("uses") is not None}


def address(workflow: Workflow) -> dict[str, str]:
    """Where it says itself that the bot is, as CHATOPS_URL and CHATOPS_AUDIENCE: a caller's inputs, or what stands in
    the steps of a pipeline. Without those that it leaves to variables."""
    found = {
        name: text
        for job in workflow.jobs.values()
        for place, names in ((job.at("with"), {name.lower(): name for name in ADDRESS}), *_environments(job))
        if place is not None
        for key, name in names.items()
        if (text := place.said(key))
    }
    return {name: text for name, text in found.items() if "${{" not in text}


def _environments(job: Part) -> Iterator[tuple[Part | None, dict[str, str]]]:
    for step in steps(job):
        yield step.at("env"), {name: name for name in ADDRESS}


def call(workflow: Workflow, name: str, job: Part, expected: Mapping[str, Any]) -> Iterator[Fault]:
    """What the calling job lacks of what `make caller` writes. `expected`: its `permissions`, `with`, `secrets`."""
    uses = job.at("uses")
    assert uses is not None  # noqa: S101 - for the type checker: only calling jobs come here
    if not _REUSABLE.fullmatch(uses.text):
        yield Fault(
            uses.line,
            f"job {name} calls {uses.text!r}, which is no reusable workflow",
            "Its runs end in startup_failure.",
            "Write uses: owner/repository/.github/workflows/dev_deploy.yml@<commit>.",
        )
        return
    for key, causes in _LACKS.items():
        part = job.at(key) or (workflow.root.at(key) if key == "permissions" else None)
        if part is not None and part.text in ("inherit", "write-all"):
            continue
        given = {each: value.text for each, value in part.fields.items()} if part is not None else {}
        enough = ("write",) if key == "permissions" else ()
        lacking = [f"{n}: {v}" for n, v in expected.get(key, {}).items() if given.get(n) not in (v, *enough)]
        if lacking:
            yield Fault(
                (part or job).line,
                f"job {name} lacks under {key} what make caller writes ({', '.join(lacking)})",
                causes,
                "Write the file anew: make caller STACK=… TARGET=… FORCE=1.",
                grave=key != "secrets",
            )


def own(workflow: Workflow, ours: Workflow, *, claims: bool) -> Iterator[Fault]:
    """A pipeline, which does the work itself: it must claim and report where the target's runs do; where it is this
    project's, it should be the one of this checkout (`ours`)."""
    if not workflow.jobs:
        yield Fault(1, "it has no jobs", "Its runs end in startup_failure.", "Copy dev_deploy.yml of this project.")
        return
    listed = [step for job in workflow.jobs.values() for step in steps(job)]
    for word, what, causes in (
        ("claim", "claims its stage", "An unclaimed run counts for nothing: the deployment waits in vain and fails."),
        ("finish", "reports its stage", "The bot never learns which image was built: a deploy has nothing to deploy."),
    ):
        if claims and not any(_does(step, word) for step in listed):
            yield Fault(
                next(iter(workflow.jobs.values())).line,
                f"no job of it {what}",
                causes,
                "Call this project's pipeline (make caller). For a pipeline without claims set claim: false at the "
                "target in targets.yaml.",
            )
            return
    if not any("chatops_stage.py" in step.said("run") for step in listed):
        return  # somebody's own
    names = dict.fromkeys([*workflow.jobs, *ours.jobs])
    other = [name for name in names if _plain(workflow.jobs.get(name)) != _plain(ours.jobs.get(name))]
    if other:
        yield Fault(
            (workflow.jobs.get(other[0]) or next(iter(workflow.jobs.values()))).line,
            f"it differs from this checkout's {PIPELINE} in {', '.join(f'job {name}' for name in other)}",
            "What that file promises (a claim before anything, tests apart from every credential) was not looked at "
            "here.",
            "Take this checkout's file and .github/scripts over, if the difference is not meant; or look with the "
            "checkout that it is of.",
            grave=False,
        )


def without_record(workflow: Workflow) -> Part | None:
    """Where a job takes an environment without recording a deployment; None where none does."""
    places = (job.at("environment", "deployment") for job in workflow.jobs.values())
    return next((place for place in places if place is not None and place.text.lower() == "false"), None)


def with_record(workflow: Workflow) -> Part | None:
    """A job that records a deployment to the environment in which a release runs, whatever the bot does; None where
    none does."""
    for job in workflow.jobs.values():
        name = job.said("environment") or job.said("environment", "name")
        if name and not name.endswith("-build") and job.said("environment", "deployment").lower() in ("", "true"):
            return job
    return None


def _does(step: Part, word: str) -> bool:
    """Whether the step runs this project's script, or something of its own, to claim or finish."""
    return any(re.search(rf"(?<![A-Za-z]){word}(?![A-Za-z])", step.said(place)) for place in ("run", "uses"))


def _plain(part: Part | None) -> Any:
    """A value as data, without the bot's address."""
    if part is None:
        return None
    if part.fields:
        return {name: _plain(each) for name, each in part.fields.items() if name not in ADDRESS}
    return [_plain(each) for each in part.items] if len(part.items) != 1 or part.items[0] is not part else part.text
