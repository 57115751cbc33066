"""Every question, in the order in which an installation is made."""

from __future__ import annotations

from doctor.checks import actions, configuration, github_app, github_token, repository, rights, workflow
from doctor.runner import Check, Scope

ON_GITHUB = ("GitHub token", "GitHub App", "repository")

CHECKS = (
    Check("configuration", Scope.INSTALLATION, configuration.look),
    Check("GitHub token", Scope.INSTALLATION, github_token.look),
    Check("GitHub App", Scope.REPOSITORY, github_app.look),
    Check("repository", Scope.REPOSITORY, repository.look, ("GitHub token", "GitHub App")),
    Check("GitHub rights", Scope.REPOSITORY, rights.look, ON_GITHUB),
    Check("Actions", Scope.REPOSITORY, actions.look, ON_GITHUB),
    Check("workflow", Scope.TARGET, workflow.look, ON_GITHUB),
)
