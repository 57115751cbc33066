"""What a workflow must be for the bot's deployments to work: rules over the file, without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from doctor.workflow_file import _NOTHING as _NONE
from doctor.workflow_file import Part, Workflow, steps

STAGES = ("build", "deploy", "rollback")
RUN_NAME = "${{ github.event.client_payload.deployment_id }} ${{ github.event.client_payload.stage }}"
NEEDED = {"contents": "read", "id-token": "write", "packages": "write"}
"""What the jobs of dev_deploy.yml ask for: a caller that grants less ends in startup_failure."""

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_BRINGS = re.compile(r"actions/checkout@.+|(?:\$|[\w.-]+/[\w.-]+)/\.github/actions/scripts(?:@.+)?")
"""Steps that only bring files to the runner: a checkout, and this project's action that brings its scripts."""
_REUSABLE = re.compile(
    r"[$.]/\.github/workflows/[\w.-]+\.ya?ml|[\w.-]+/[\w.-]+/\.github/workflows/[\w.-]+\.ya?ml@[\w./-]+"
)


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


def jobs(workflow: Workflow, *, needs_rollback: bool, claims: bool) -> Iterator[Fault]:
    """Every stage has a job; each job that does the work itself claims first and reports last."""
    own = {name: job for name, job in workflow.jobs.items() if job.at("uses") is None}
    calling = {name: job for name, job in workflow.jobs.items() if job.at("uses") is not None}
    if not workflow.jobs:
        yield Fault(1, "it has no jobs", "Its runs end in startup_failure.", "Copy dev_deploy.yml of this project.")
        return
    yield from _stages(workflow, needs_rollback=needs_rollback)
    for name, job in calling.items():
        yield from _call(workflow, name, job)
        yield from _hands_on(name, job)
    needed = {each.text for job in own.values() for each in (job.at("needs") or _NONE).items}
    for name, job in own.items() if not calling else ():
        if claims and (len(own) == 1 or job.at("environment") is not None or job.at("needs") is not None):
            yield from _claims(name, job, reports=name not in needed)
        yield from _may_read(workflow, name, job)
        yield from _records(name, job)


def called(workflow: Workflow) -> list[Part]:
    """The reusable workflows that its jobs call."""
    return [found for job in workflow.jobs.values() if (found := job.at("uses")) is not None]


def _stages(workflow: Workflow, *, needs_rollback: bool) -> Iterator[Fault]:
    conditions = [job.said("if") for job in workflow.jobs.values()]
    if not all(conditions):  # a job without a condition runs for every stage
        return
    for stage in STAGES if needs_rollback else STAGES[:2]:
        if not any(re.search(rf"""['"]{stage}['"]""", condition) for condition in conditions):
            first = next(iter(workflow.jobs.values()))
            yield Fault(
                first.line,
                f"no job of it runs for the stage {stage}",
                f"The {stage} stage's run is skipped without a claim, and the deployment fails there.",
                f"Add a job with if: github.event.client_payload.stage == '{stage}', as in dev_deploy.yml.",
            )


def _call(workflow: Workflow, name: str, job: Part) -> Iterator[Fault]:
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
    granted = _granted(workflow, job)
    lacking = [f"{what}: {level}" for what, level in NEEDED.items() if granted.get(what) not in (level, "write")]
    if lacking:
        yield Fault(
            (job.at("permissions") or workflow.root.at("permissions") or job).line,
            f"job {name} grants the pipeline no {', '.join(lacking)}",
            "A called workflow may not have more than its caller: the run ends in startup_failure and claims nothing.",
            f"Give the job permissions: {{{', '.join(f'{what}: {level}' for what, level in NEEDED.items())}}}.",
        )


def _hands_on(name: str, job: Part) -> Iterator[Fault]:
    secrets = job.at("secrets")
    if secrets is None or not (secrets.fields or secrets.text == "inherit"):
        yield Fault(
            (secrets or job).line,
            f"job {name} hands on no secrets",
            "A called workflow has none but those it is given, not even its environment's: it can sign in nowhere.",
            "Name them under secrets:, as the caller that make caller writes does.",
            grave=False,
        )


def _claims(name: str, job: Part, *, reports: bool) -> Iterator[Fault]:
    listed = steps(job)
    claim = next((n for n, step in enumerate(listed) if _does(step, "claim")), None)
    todo = "Copy the steps from dev_deploy.yml: check out the scripts, claim, then the work, and at last the report."
    if claim is None:
        yield Fault(
            job.line,
            f"job {name} claims no stage",
            "An unclaimed run counts for nothing: the deployment waits until its time is over and fails.",
            f"{todo} For a pipeline without claims set claim: false at the target in targets.yaml.",
        )
        return
    before = [step for step in listed[:claim] if not _BRINGS.fullmatch(step.said("uses"))]
    if before:
        yield Fault(
            before[0].line,
            f"job {name} does something before it claims the stage",
            "Late runs, re-runs and events sent by hand do that too: only the claim stops them.",
            todo,
        )
    if listed[claim].at("if") is not None:
        yield Fault(
            listed[claim].line,
            f"job {name}'s claim has a condition",
            "Where it is skipped, the work goes on without permission.",
            "Take the if: away from the claim.",
        )
    if reports:
        yield from _reports(name, listed[claim + 1 :], listed[-1], todo)


def _reports(name: str, after: list[Part], last: Part, todo: str) -> Iterator[Fault]:
    report = next((step for step in after if _does(step, "finish")), None)
    if report is None:
        yield Fault(
            last.line,
            f"job {name} reports no end",
            "The bot learns a stage's end only by asking GitHub, later, and never the image that was built: a deploy "
            "has nothing to deploy.",
            todo,
        )
    elif "always()" not in report.said("if"):
        yield Fault(
            report.line,
            f"job {name} reports its end only when nothing failed (no always() in its if)",
            "Which step failed is not shown, and a failed stage is noticed later.",
            "Write if: always() && steps.claim-the-stage.outcome == 'success'.",
        )


def _may_read(workflow: Workflow, name: str, job: Part) -> Iterator[Fault]:
    permissions = job.at("permissions") or workflow.root.at("permissions")
    if permissions is None or permissions.text == "write-all":
        yield Fault(
            permissions.line if permissions is not None else job.line,
            f"job {name} runs with {'every permission' if permissions is not None else 'the default permissions'}",
            "What runs in it may do more to the repository than a deployment needs.",
            "Write permissions: {} at the file's top and contents: read, id-token: write at the job.",
            grave=False,
        )
    elif "contents" not in permissions.fields and permissions.text != "read-all":
        yield Fault(
            permissions.line,
            f"job {name} may not read the repository's contents",
            "Its checkout fails in a private repository.",
            "Add contents: read to its permissions.",
        )


def _records(name: str, job: Part) -> Iterator[Fault]:
    """A job that names an environment is a deployment on GitHub's page when it succeeds; a build deploys nothing."""
    environment, condition = job.at("environment"), job.said("if")
    builds = re.search(r"""['"]build['"]""", condition) and not re.search(r"""['"](?:deploy|rollback)['"]""", condition)
    recorded = environment is not None and environment.said("deployment").lower() in ("", "true")
    if environment is not None and builds and recorded:
        yield Fault(
            environment.line,
            f"job {name} builds, and GitHub records that as a deployment",
            "The repository's page says that the version was deployed, before anybody approved it.",
            "Write environment: {name: …, deployment: false}, as dev_deploy.yml does.",
            grave=False,
        )


def without_record(workflow: Workflow) -> Part | None:
    """Where a job takes an environment without recording a deployment; None where none does."""
    places = (job.at("environment", "deployment") for job in workflow.jobs.values())
    return next((place for place in places if place is not None and place.text.lower() == "false"), None)


def _granted(workflow: Workflow, job: Part) -> dict[str, str]:
    permissions = job.at("permissions") or workflow.root.at("permissions")
    if permissions is None:
        return {"contents": "read"}  # what the token has by default; id-token never is among it
    if permissions.text in ("read-all", "write-all"):
        return dict.fromkeys(NEEDED, permissions.text.removesuffix("-all"))
    return {name: part.text for name, part in permissions.fields.items()}


def _does(step: Part, word: str) -> bool:
    """Whether the step runs this project's script, or something of its own, to claim or finish."""
    return any(re.search(rf"(?<![A-Za-z]){word}(?![A-Za-z])", step.said(place)) for place in ("run", "uses"))
