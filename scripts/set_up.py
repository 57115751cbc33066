"""What `make install` does after the stack: the Slack app, the secrets, the doctor.

Each step looks first whether it is done, so that the command can be run again wherever it stopped, and asks only for
what is missing. Needs the rights of `make secret` and `make doctor`.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chatops.aws import error_code
from chatops.settings import secrets
from doctor.__main__ import main as doctor
from scripts import manifest, stack_secret, stack_state
from scripts.stack_parameters import Unusable
from scripts.stack_secret import Unfilled
from scripts.terminal import meaning

WHERE: Mapping[str, str] = {
    secrets.SLACK_SIGNING_SECRET: "the Slack app → Basic Information → App Credentials → Signing Secret",
    secrets.SLACK_BOT_TOKEN: "the Slack app → Install App (or OAuth & Permissions) → Bot User OAuth Token, xoxb-…",
    secrets.GITHUB_TOKEN: (
        "https://github.com/settings/personal-access-tokens/new: only the repository that is deployed, "
        "Contents and Actions: read and write"
    ),
    secrets.GITHUB_APP_KEY: "the GitHub App → General → Private keys → Generate a private key; the file is asked for",
}
"""Where each secret is found or made."""
AGAIN = "make install STACK={} goes on here."

_APP = """
The Slack app. This opens the form of a new app with everything filled in; pick the workspace, Create, Install:

{link}
(or https://api.slack.com/apps → Create New App → From a manifest, and what `make manifest STACK={name}` prints)
"""
_NEXT = """
Next: /invite @platform-deploy in the channel; the workflow of the repository that is deployed
(make caller STACK={name} TARGET=dev REPO=owner/name OUT=a-clone-of-it) with its roles and environments
(README, Install, steps 3 and 4); /platform-deploy --dry-run.
"""


def go_on(name: str, env: Mapping[str, str], ask: Callable[[str], str] = getpass.getpass) -> int:
    """The rest of the installation; exit status 0 where the doctor finds nothing wrong. `ask` shows nothing of what is
    typed.
    """
    try:
        _fill(name, env, ask)
    except (Unfilled, Unusable) as problem:
        return _stopped(name, str(problem))
    except EOFError:
        return _stopped(name, "An answer is missing.")
    except (ClientError, BotoCoreError) as error:
        return _stopped(name, meaning(error) or f"AWS answered {error_code(error) or type(error).__name__}.")
    print(f"\nWhat make doctor STACK={name} says:", flush=True)
    code = doctor(["--stack", name])
    print(_NEXT.format(name=name))
    return code


def _fill(name: str, env: Mapping[str, str], ask: Callable[[str], str]) -> None:
    """Ask for the secrets that are missing; where Slack's are, the app comes first."""
    cloudformation, client = boto3.client("cloudformation"), boto3.client("secretsmanager")
    arns = stack_secret.secrets_of(cloudformation, name)
    stored = {key: value for arn in arns.values() for key, value in stack_secret.stored_in(client, arn).items()}
    given = stack_secret.from_environment(env)
    stack = stack_state.describe(cloudformation, name)
    wanted = stack_secret.missing({**stored, **given}, app=bool(stack.parameters.get("GithubAppId")))
    if not wanted and not given:
        print(f"\nThe secrets of {name} are filled; make secret STACK={name} changes them.")
        return
    if secrets.SLACK_SIGNING_SECRET in wanted or secrets.SLACK_BOT_TOKEN in wanted:
        print(_APP.format(link=manifest.manifest(manifest.request_url(cloudformation, name), "link"), name=name))
    for each in wanted:
        _ask_for(each, name, client, arns, stored, ask)
    if given:
        print(stack_secret.told(name, *stack_secret.put(client, arns, given)))


def _ask_for(
    each: str, name: str, client: Any, arns: Mapping[str, str], stored: Mapping[str, Any], ask: Callable[[str], str]
) -> None:
    """One secret, asked for until it can be one, and put at once, so that nobody is asked twice. Raises Unfilled for
    none."""
    print(f"{each}\n  from {WHERE[each]}")
    while True:
        try:
            found = stack_secret.asked(stored, {}, ask, (each,))
        except Unfilled as problem:
            print(problem)
            continue
        if each not in found:
            raise Unfilled(f"{each} is still missing.")
        stack_secret.put(client, arns, found)
        return


def _stopped(name: str, text: str) -> int:
    print(f"{text} {AGAIN.format(name)}", file=sys.stderr)
    return 1
