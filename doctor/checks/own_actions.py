"""Do the actions of a workflow's own repository (`uses: $/…`) stand there? Without them no run comes to its claim."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.installation import Installation
from doctor.pipeline_rules import Fault
from doctor.workflow_file import Workflow, uses

SELF = "$/"
"""https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsuses"""
_NOT_FOUND = 404


def missing(installation: Installation, repository: str, ref: str, workflow: Workflow) -> Iterator[Fault]:
    """Each that is not in that repository at that commit, once."""
    jobs = workflow.root.at("jobs")
    seen: set[str] = set()
    for place in uses(jobs) if jobs is not None else ():
        path = place.text.removeprefix(SELF)
        if path == place.text or path.endswith((".yml", ".yaml")) or path in seen:
            continue
        seen.add(path)
        files = [f"/contents/{path}/action.{ending}" for ending in ("yml", "yaml")]
        if all(installation.github.repository(repository, file, ref=ref).status == _NOT_FOUND for file in files):
            yield Fault(
                place.line,
                f"it uses {place.text}, which is not in {repository} at {ref}",
                "Its runs fail while they are set up, before they claim anything: the deployment waits in vain.",
                f"Copy {path} and .github/scripts of this project there, too; or call this project's workflow instead "
                "(make caller).",
            )
