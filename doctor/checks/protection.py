"""Does an App decide over the environment of the build? Jobs that record no deployment fail at once there."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from doctor.installation import Installation
from doctor.pipeline_rules import Fault, without_record
from doctor.workflow_file import Workflow


def rules(installation: Installation, repository: str, target: str, workflow: Workflow) -> Iterator[Fault]:
    """Of the environment of the build; nothing where that is not told.

    By `GET /repos/{owner}/{repo}/environments/{name}/deployment_protection_rules`:
    https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/control-deployments
    """
    place = without_record(workflow)
    if place is None:
        return
    environment = f"{target}-build"
    path = f"/environments/{quote(environment, safe='')}/deployment_protection_rules"
    answer = installation.github.repository(repository, path)
    found = answer.json if answer.status == 200 and isinstance(answer.json, dict) else {}
    apps = [
        str((rule.get("app") or {}).get("slug"))
        for rule in found.get("custom_deployment_protection_rules") or []
        if rule.get("enabled")
    ]
    if apps:
        yield Fault(
            place.line,
            f"a job of it records no deployment, and the GitHub App {', '.join(apps)} decides over deployments to the "
            f"environment {environment}",
            "GitHub has nothing to ask the App about: the job fails at once, and the deployment with it.",
            f"Take the App's rule out of {repository}'s environment {environment} (Settings, Environments): who may "
            "deploy is decided in Slack.",
        )
