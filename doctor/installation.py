"""The installation that is looked at: its settings, its secrets, and the ways to its external services."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from chatops.domain.target import Target
from chatops.github import jwt
from chatops.settings import secrets as names
from chatops.settings.config import Settings
from doctor import secret_forms
from doctor.clients import Aws, Slack, Web
from doctor.github import GitHub, headers
from doctor.reading import Read, read
from doctor.result import NotLooked, Result
from doctor.workflow_file import Workflow

SECRETS = (names.SLACK_SIGNING_SECRET, names.SLACK_BOT_TOKEN, names.GITHUB_TOKEN, names.GITHUB_APP_KEY)
_PRIVATE = re.compile(r"TOKEN|SECRET(?!_ARN)|PRIVATE_KEY|PASSWORD")
READS = dict.fromkeys(("contents", "actions", "metadata", "environments", "actions_variables", "secrets"), "read")


@dataclass(frozen=True)
class Stack:
    """What CloudFormation says of the stack: name, status, outputs and parameters."""

    name: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)


AGAIN = "Deploy the stack again (make deploy)."


@dataclass
class Installation:
    """`env`: settings as the functions have them; `secrets`: by name, never shown; `stack`: None where none was named.

    `only`: the one target to look at (empty: all). `local`: the external services are fakes on this machine.
    """

    env: Mapping[str, str]
    secrets: Mapping[str, str]
    aws: Aws
    stack: Stack | None = None
    web: Web = field(default_factory=Web)
    now: Callable[[], float] = time.time
    only: str = ""
    local: bool = False
    source: str = "the environment"
    secrets_trouble: str = ""
    """Why the secrets could not be read; empty where they could."""
    broken: set[tuple[str, str]] = field(default_factory=set)
    """The checks that failed or had no answer so far, with their subjects; the runner fills it."""
    workflows: dict[tuple[str, str], tuple[list[Workflow], list[Result]]] = field(default_factory=dict)
    """What was read of a repository's branch already: its workflows, and what is wrong with files that are none."""

    @cached_property
    def read(self) -> Read:
        """The settings, with what is wrong with them."""
        return read(self.env)

    @property
    def settings(self) -> Settings:
        return self.read.settings

    @property
    def targets(self) -> dict[str, Target]:
        """The targets to look at, by name."""
        found = self.read.targets
        return {name: found[name] for name in found if self.only in ("", name)}

    @property
    def deployed(self) -> Stack:
        """The stack. Raises NotLooked where none was named."""
        if self.stack is None:
            raise NotLooked(
                "no stack was named", "Name it to look at what is deployed: make doctor STACK=platform-deploy."
            )
        return self.stack

    @property
    def repositories(self) -> tuple[str, ...]:
        """The repositories of those targets, each once."""
        return tuple(dict.fromkeys(target.repository for target in self.targets.values()))

    @property
    def api_url(self) -> str:
        """The address of the stack's own API, without a slash at its end; empty where it is not known."""
        outputs = self.stack.outputs if self.stack else {}
        return self.settings.api_url or outputs.get("SlackRequestUrl", "").removesuffix("/slack/events")

    def secret(self, name: str) -> str:
        """The secret. Raises NotLooked where it is not set, or cannot be one."""
        if self.secrets_trouble:
            raise NotLooked(self.secrets_trouble)
        value = self.secrets.get(name, "").strip()
        if secret_forms.problem(name, value):
            raise NotLooked(f"{name} is {'not what it should be' if value else 'not set'}; see configuration")
        return value

    @cached_property
    def github(self) -> GitHub:
        """GitHub as the bot sees it."""
        return GitHub(self.web, self.settings.github_api_url, self._github_token)

    @cached_property
    def slack(self) -> Slack:
        """Slack as the bot sees it. Raises NotLooked without a token."""
        return Slack(self.web, self.settings.slack_api_url, self.secret(names.SLACK_BOT_TOKEN))

    @property
    def concealed(self) -> tuple[str, ...]:
        """Values that are never shown, whoever repeats them."""
        private = (value for name, value in self.env.items() if _PRIVATE.search(name))
        return (*self.secrets.values(), *private)

    def statement(self) -> str:
        """The GitHub App's signed statement. Raises NotLooked, and InvalidConfiguration for an unusable key."""
        return jwt.signed(self.settings.github_app_id, self.secret(names.GITHUB_APP_KEY), self.now())

    def _github_token(self, repository: str) -> str:
        if not self.settings.github_app_id:
            return self.secret(names.GITHUB_TOKEN)
        if repository not in self._app_tokens:
            self._app_tokens[repository] = self._app_token(repository)
        return self._app_tokens[repository]

    @cached_property
    def _app_tokens(self) -> dict[str, str]:
        return {}

    def _app_token(self, repository: str) -> str:
        """A token of the App's installation that reads that one repository and no more, for an hour."""
        statement = self.statement()
        found = self.github.as_app(f"/repos/{repository}/installation", statement).json
        if not isinstance(found, dict) or "id" not in found:
            raise NotLooked(f"the GitHub App is not installed on {repository}")
        granted = found.get("permissions") or {}
        wanted = {name: level for name, level in READS.items() if name in granted}
        made = self.web.app_token(
            f"{self.settings.github_api_url}/app/installations/{int(found['id'])}/access_tokens",
            headers(statement),
            {"repositories": [repository.partition("/")[2]], "permissions": wanted},
        )
        if not isinstance(made.json, dict) or "token" not in made.json:
            raise NotLooked(f"GitHub gave the App no token for {repository} ({made.status}: {made.said})")
        return str(made.json["token"])


def secrets_of(env: Mapping[str, str], stored: Mapping[str, object]) -> dict[str, str]:
    """The secrets as the functions find them: a variable goes before what is stored."""
    return {name: env.get(name, "").strip() or str(stored.get(name) or "").strip() for name in SECRETS}
