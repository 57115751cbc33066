"""Every question, in the order in which an installation is made."""

from __future__ import annotations

from doctor.checks import (
    actions,
    clock,
    codedeploy,
    configuration,
    ecs_service,
    endpoint,
    environments,
    events,
    gifs,
    github_app,
    github_deployments,
    github_token,
    identity,
    region,
    repository,
    repository_settings,
    rights,
    slack_app,
    slack_channel,
    slack_people,
    stack,
    workflow,
)
from doctor.runner import Check, Scope

_GITHUB = ("GitHub token", "GitHub App", "repository")

CHECKS = (
    Check("configuration", Scope.INSTALLATION, configuration.look),
    Check("region", Scope.INSTALLATION, region.look),
    Check("stack", Scope.INSTALLATION, stack.look, ("region",)),
    Check("events", Scope.INSTALLATION, events.look, ("region", "stack")),
    Check("request URL", Scope.INSTALLATION, endpoint.request_url),
    Check("signing secret", Scope.INSTALLATION, endpoint.signing_secret, ("request URL",)),
    Check("claim URL", Scope.INSTALLATION, endpoint.claim_url, ("request URL",)),
    Check("Slack app", Scope.INSTALLATION, slack_app.look),
    Check("Slack channel", Scope.INSTALLATION, slack_channel.look, ("Slack app",)),
    Check("Slack people", Scope.INSTALLATION, slack_people.look, ("Slack app",)),
    Check("pictures", Scope.INSTALLATION, gifs.look),
    Check("GitHub token", Scope.INSTALLATION, github_token.look),
    Check("clock", Scope.INSTALLATION, clock.look, ("GitHub token",)),
    Check("GitHub App", Scope.REPOSITORY, github_app.look),
    Check("repository", Scope.REPOSITORY, repository.look, ("GitHub token", "GitHub App")),
    Check("GitHub rights", Scope.REPOSITORY, rights.look, _GITHUB),
    Check("GitHub deployments", Scope.REPOSITORY, github_deployments.look, _GITHUB),
    Check("Actions", Scope.REPOSITORY, actions.look, _GITHUB),
    Check("workflow", Scope.TARGET, workflow.look, _GITHUB),
    Check("repository settings", Scope.REPOSITORY, repository_settings.look, _GITHUB),
    Check("environments", Scope.TARGET, environments.look, _GITHUB),
    Check("AWS sign-in", Scope.TARGET, identity.look, _GITHUB),
    Check("ECS service", Scope.TARGET, ecs_service.look, ("region",)),
    Check("CodeDeploy", Scope.TARGET, codedeploy.look, ("region",)),
)
