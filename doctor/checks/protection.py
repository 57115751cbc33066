"""Does an App decide over an environment in whose jobs nothing is recorded? They fail at once there. And does a job
record a deployment that the bot records as well?"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from doctor.installation import Installation
from doctor.pipeline_rules import Fault, with_record, without_record
from doctor.workflow_file import Part, Workflow


def rules(installation: Installation, repository: str, target: str, workflow: Workflow) -> Iterator[Fault]:
    """Of the environment of the build, and of the target's where the bot writes GitHub Deployments; nothing where that
    is not told.

    By `GET /repos/{owner}/{repo}/environments/{name}/deployment_protection_rules`:
    https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/control-deployments
    """
    shown = installation.settings.github_deployments
    if place := without_record(workflow):
        for environment in (f"{target}-build", *([target] if shown else ())):
            yield from _apps(installation, repository, environment, place)
    if shown and (job := with_record(workflow)):
        yield Fault(
            job.line,
            "a job of it records a deployment, and the bot writes one as well (GithubDeployments)",
            "GitHub shows each deployment twice, once at the default branch's last commit.",
            "Take this checkout's pipeline over (make caller), or give the job's environment deployment: false.",
            grave=False,
        )


def _apps(installation: Installation, repository: str, environment: str, place: Part) -> Iterator[Fault]:
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
