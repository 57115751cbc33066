"""Does one active workflow on the default branch listen to the target's event, and does it do what the bot expects?"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml

from chatops.domain.target import Target
from doctor import pipeline_rules
from doctor.checks import own_actions, protection
from doctor.clients import Answer
from doctor.installation import Installation
from doctor.pipeline_rules import Fault
from doctor.result import NotLooked, Result, State, failed, ok
from doctor.workflow_file import Part, Unreadable, Workflow, read
from pipeline.caller import FOLDER, HERE, OWN, PIPELINE, Bot, caller

MOST_FILES, MOST_BRANCHES = 60, 10
_NEVER = "GitHub takes the event and starts no run: the deployment ends with “the run never appeared”."
_CALLED = re.compile(r"([\w.-]+/[\w.-]+)/(\.github/workflows/[\w.-]+)@([\w./-]+)")
_STATES = {
    "disabled_manually": "somebody disabled it",
    "disabled_inactivity": "GitHub disabled it, since nothing happened in the repository for 60 days",
    "disabled_fork": "the repository is a fork, where workflows begin disabled",
}


def look(installation: Installation, name: str) -> Iterator[Result]:
    """Every workflow file of the default branch is read; those that listen to the event are looked at closely."""
    target = installation.targets[name]
    branch = str(installation.github.repository(target.repository).json.get("default_branch", "main"))
    found, broken = _files(installation, target.repository, branch)
    listening = [workflow for workflow in found if workflow.listens(target.event_type)]
    if not listening:
        yield from broken or [_missing(installation, target, branch, found)]
        return
    first = listening[0]
    if len(listening) > 1:
        yield _several(target, branch, listening)
    if target.claim and len(listening) == 1 and first.path != target.workflow_file:
        yield _another_file(target, branch, first)
    faults = [*pipeline_rules.run_name(first), *_jobs(installation, target, branch, first)]
    problems = [*_state(installation, target, first), *(_told(target, branch, first, fault) for fault in faults)]
    yield from problems
    if not any(result.state is State.FAILED for result in problems):
        yield ok(f"{first.path} on {branch} of {target.repository} listens to {target.event_type}.")


def _files(installation: Installation, repository: str, branch: str) -> tuple[list[Workflow], list[Result]]:
    """The branch's workflows, and what to say about files that are none; read once."""
    known = installation.workflows
    if (repository, branch) not in known:
        known[repository, branch] = _read_files(installation, repository, branch)
    return known[repository, branch]


def _read_files(installation: Installation, repository: str, branch: str) -> tuple[list[Workflow], list[Result]]:
    listed = installation.github.repository(repository, f"/contents/{FOLDER}", ref=branch)
    if listed.status == 403:
        raise NotLooked("the token may not read the repository's contents", "See GitHub rights.")
    names = [
        str(item["path"])
        for item in (listed.json if isinstance(listed.json, list) else [])
        if item.get("type") == "file" and str(item.get("name", "")).endswith((".yml", ".yaml"))
    ]
    found: list[Workflow] = []
    broken: list[Result] = []
    for path in names[:MOST_FILES]:
        content = text(installation.github.repository(repository, f"/contents/{path}", ref=branch))
        try:
            found.append(read(path, content))
        except Unreadable as error:
            broken.append(
                failed(
                    f"{path} on {branch} of {repository} cannot be read: line {error.line}, {error}.",
                    f"GitHub does not start it. {_NEVER}",
                    "Mend it there; GitHub shows the same under the repository's Actions.",
                    _page(repository, branch, path, error.line),
                )
            )
    return found, broken


def text(answer: Answer) -> str:
    """A file's content; empty where there is none to be seen."""
    found = answer.json
    if answer.status != 200 or not isinstance(found, dict):
        return ""
    try:
        return base64.b64decode(str(found.get("content", ""))).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _missing(installation: Installation, target: Target, branch: str, found: list[Workflow]) -> Result:
    """No file listens: because it stands elsewhere, or listens to something else."""
    elsewhere = _elsewhere(installation, target, branch)
    if elsewhere:
        return failed(
            f"The workflow for {target.event_type} stands on the branch {elsewhere} of {target.repository} only, "
            f"not on {branch}.",
            f"Events start workflows of the default branch only. {_NEVER}",
            f"Merge it into {branch}.",
            _page(target.repository, elsewhere, FOLDER),
        )
    others = {one.event_type for one in installation.read.targets.values()}
    triggered = [workflow for workflow in found if workflow.trigger is not None]
    triggered.sort(key=lambda workflow: {part.text for part in workflow.types or []} <= others)
    near = triggered[0] if triggered else None
    if near is not None and near.trigger is not None:
        types = ", ".join(part.text for part in near.types or [])
        line = (near.types or [near.trigger])[0].line
        return failed(
            f"{near.path} on {branch} of {target.repository}, line {line}, listens to {types or 'nothing'}, and "
            f"no file there to {target.event_type}.",
            _NEVER,
            f"Add {target.event_type} to its types, or (another target is a workflow of its own) a caller that lists "
            f"it, which make caller TARGET={target.name} writes; or set the target's event_type in targets.yaml.",
            _page(target.repository, branch, near.path, line),
        )
    return failed(
        f"No workflow on {branch} of {target.repository} listens to repository_dispatch ({target.event_type}).",
        _NEVER,
        f"Merge into {branch} there what make caller TARGET={target.name} REPO={target.repository} writes: a workflow "
        "that calls this project's pipeline.",
        _page(target.repository, branch, FOLDER),
    )


def _elsewhere(installation: Installation, target: Target, branch: str) -> str:
    listed = installation.github.repository(target.repository, "/branches", per_page=100)
    names = [str(one.get("name")) for one in (listed.json if isinstance(listed.json, list) else [])]
    for name in [name for name in names if name != branch][:MOST_BRANCHES]:
        found, _ = _files(installation, target.repository, name)
        if any(workflow.listens(target.event_type) for workflow in found):
            return name
    return ""


def _several(target: Target, branch: str, listening: list[Workflow]) -> Result:
    paths = " and ".join(workflow.path for workflow in listening)
    return failed(
        f"{paths} on {branch} of {target.repository} all listen to {target.event_type}.",
        "Each event starts one run of each: the first to claim does the work, the others are refused and fail.",
        "Leave the event type in one of them.",
        _page(target.repository, branch, FOLDER),
    )


@cache
def _ours() -> Workflow:
    """The pipeline of this checkout."""
    return read(PIPELINE, OWN.read_text("utf-8"))


def address(installation: Installation, target: Target) -> dict[str, str]:
    """Where the target's workflow says that the bot is: CHATOPS_URL, CHATOPS_AUDIENCE, as far as it says it itself."""
    branch = str(installation.github.repository(target.repository).json.get("default_branch", "main"))
    found, _ = _files(installation, target.repository, branch)
    return next((pipeline_rules.address(one) for one in found if one.listens(target.event_type)), {})


def workflow_ref(installation: Installation, target: Target) -> str:
    """`job_workflow_ref` in the tokens of the target's jobs; empty where it is not known before a run (a tag or branch
    of another repository)."""
    repository = installation.github.repository(target.repository).json
    branch, name = str(repository.get("default_branch", "main")), str(repository.get("full_name", target.repository))
    found, _ = _files(installation, target.repository, branch)
    listening = next((one for one in found if one.listens(target.event_type)), None)
    if listening is None:
        return ""
    uses = [job.said("uses") for job in pipeline_rules.calls(listening).values()]
    if not uses:
        return f"{name}/{listening.path}@refs/heads/{branch}"
    if uses[0].startswith(("$/", "./")):
        return f"{name}/{uses[0][2:]}@refs/heads/{branch}"
    return uses[0] if re.fullmatch(r".+@[0-9a-f]{40}", uses[0]) else ""


def _expected(installation: Installation, target: Target, workflow: Workflow, pipeline: str) -> Mapping[str, Any]:
    """The calling job as `make caller` writes it. `pipeline`: the text of the workflow that is called. Where the bot is
    stands in it only if the file says that too: the environments may say it instead."""
    outputs, bot = (installation.stack.outputs if installation.stack else {}), None
    if pipeline_rules.address(workflow) and outputs.get("ChatOpsUrl", "").startswith("https://"):
        bot = Bot(outputs["ChatOpsUrl"], outputs.get("ChatOpsAudience", ""))
    made: Mapping[str, Any] = yaml.safe_load(caller(target.name, target.event_type, HERE, pipeline, bot))["jobs"][
        "stage"
    ]
    return made


def _another_file(target: Target, branch: str, workflow: Workflow) -> Result:
    return failed(
        f"{workflow.path} on {branch} of {target.repository} listens to {target.event_type}, and {target.name} waits "
        f"for runs of {target.workflow_file}.",
        "Every claim is refused: only that workflow may claim its stages.",
        f"Set workflow: {workflow.path} at {target.name} in targets.yaml, or rename the file.",
        _page(target.repository, branch, workflow.path),
    )


def _another_pipeline(target: Target, place: Part, repository: str) -> Iterator[Fault]:
    if target.claim and target.pipeline and target.pipeline.lower() != repository.lower():
        yield Fault(
            place.line,
            f"it calls the pipeline of {repository}, and {target.name} waits for runs of {target.pipeline}'s",
            "Every claim is refused.",
            f"Set pipeline: {repository} at {target.name} in targets.yaml, or write the workflow anew (make caller).",
        )


def _jobs(installation: Installation, target: Target, branch: str, workflow: Workflow) -> Iterator[Fault]:
    """The file's jobs, and those of the reusable workflow that it calls, where that can be read."""
    calling = pipeline_rules.calls(workflow)
    yield from own_actions.missing(installation, target.repository, branch, workflow)
    if not calling:
        yield from pipeline_rules.own(workflow, _ours(), claims=target.claim)
        yield from protection.rules(installation, target.repository, target.name, workflow)
    for name, job in calling.items():
        place = job.at("uses")
        assert place is not None  # noqa: S101 - for the type checker: `calls` gives no other
        own = place.text.startswith(("$/", "./"))  # of the same repository and commit
        named = _CALLED.fullmatch(f"{target.repository}{place.text[1:]}@{branch}" if own else place.text)
        pipeline = _called_text(installation, *named.groups()) if named else ""
        try:
            expected = _expected(installation, target, workflow, pipeline)
            called = read(place.text, pipeline) if pipeline else None
        except (Unreadable, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            where = f" (line {error.line})" if isinstance(error, Unreadable) else ""
            yield Fault(place.line, f"{place.text} cannot be read{where}", _NEVER, "Call another commit.")
            continue
        yield from pipeline_rules.call(workflow, name, job, expected)
        yield from _another_pipeline(target, place, named[1]) if named else ()
        for fault in _inside(installation, target, named.groups(), called) if called and named else ():
            yield Fault(
                place.line, f"in {place.text}, line {fault.line}, {fault.what}", fault.causes, fault.todo, fault.grave
            )


def _called_text(installation: Installation, repository: str, path: str, ref: str) -> str:
    """Empty where it is a private repository's that the bot's token need not see."""
    return text(installation.github.repository(repository, f"/contents/{path}", ref=ref))


def _inside(
    installation: Installation, target: Target, place: tuple[str | Any, ...], called: Workflow
) -> Iterator[Fault]:
    repository, _, ref = place
    yield from pipeline_rules.own(called, _ours(), claims=target.claim)
    yield from own_actions.missing(installation, repository, ref, called)
    yield from protection.rules(installation, target.repository, target.name, called)


def _state(installation: Installation, target: Target, workflow: Workflow) -> Iterator[Result]:
    listed = installation.github.repository(target.repository, "/actions/workflows", per_page=100)
    known = listed.json.get("workflows", []) if isinstance(listed.json, dict) else []
    state = next((str(one.get("state")) for one in known if one.get("path") == workflow.path), "active")
    if state != "active":
        yield failed(
            f"{workflow.path} of {target.repository} is disabled: {_STATES.get(state, state)}.",
            _NEVER,
            "In the repository's Actions choose the workflow and Enable workflow.",
            f"https://github.com/{target.repository}/actions/workflows/{workflow.path.rpartition('/')[2]}",
        )


def _told(target: Target, branch: str, workflow: Workflow, fault: Fault) -> Result:
    return Result(
        State.FAILED if fault.grave else State.WARNING,
        f"{workflow.path} on {branch} of {target.repository}, line {fault.line}: {fault.what}.",
        fault.causes,
        fault.todo,
        _page(target.repository, branch, workflow.path, fault.line),
    )


def _page(repository: str, branch: str, path: str, line: int = 0) -> str:
    kind = "tree" if path == FOLDER else "blob"
    return f"https://github.com/{repository}/{kind}/{branch}/{path}" + (f"#L{line}" if line else "")
