"""make secret STACK=name: put Slack's and GitHub's secrets into the stack's two.

Values come from the environment (a pipeline's secrets) or are asked for, unseen; none stands on a command line, none is
shown. What is not given stays as it is. Needs cloudformation:DescribeStacks, secretsmanager:GetSecretValue and
PutSecretValue.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chatops.aws import error_code
from chatops.settings import secrets
from doctor import secret_forms
from doctor.checks.configuration import SECRETS
from scripts.stack_parameters import stack_name
from scripts.terminal import meaning

APP_TOKEN = "SLACK_APP_TOKEN"  # noqa: S105 - a name, not a value
SOURCES: Mapping[str, tuple[str, ...]] = {
    secrets.SLACK_SIGNING_SECRET: (secrets.SLACK_SIGNING_SECRET,),
    secrets.SLACK_BOT_TOKEN: (secrets.SLACK_BOT_TOKEN,),
    secrets.GITHUB_TOKEN: (secrets.GITHUB_TOKEN, "CHATOPS_GITHUB_TOKEN"),
    secrets.GITHUB_APP_KEY: (secrets.GITHUB_APP_KEY, "CHATOPS_GITHUB_APP_PRIVATE_KEY"),
    APP_TOKEN: (APP_TOKEN,),
}
"""Each secret and the variables that may hold it (GitHub forbids names of secrets that begin with GITHUB_)."""

ASKED = tuple(secrets.WHAT)
"""What a person is asked for: the app-level token is for local runs with a real workspace."""
HOLDS = {**secrets.STORED_IN, APP_TOKEN: secrets.SLACK}
"""Which of the two holds what."""


class Unfilled(Exception):
    """The secrets were left as they were; the text says why and what to do, and holds no value."""


def from_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The secrets that the environment holds. Raises Unfilled for one that is plainly something else."""
    given = {}
    for name, variables in SOURCES.items():
        value = next((value for variable in variables if (value := env.get(variable, "").strip())), "")
        if value:
            given[name] = checked(name, value)
    return given


def checked(name: str, value: str) -> str:
    """The value, if it may be what it should be. Raises Unfilled, without the value."""
    if name == APP_TOKEN:
        if not value.startswith("xapp-"):
            raise Unfilled(f"{name} holds something else; an app-level token begins with xapp-.")
        return value
    if problem := secret_forms.problem(name, value):
        raise Unfilled(problem)
    return value


def asked(
    stored: Mapping[str, Any], given: Mapping[str, str], ask: Callable[[str], str], names: Iterable[str] = ASKED
) -> dict[str, str]:
    """What a person types for the rest of `names`; nothing keeps what is there. A private key is named by its file."""
    answers = dict(given)
    for name in (name for name in names if name not in given):
        state = "Enter keeps what is there" if stored.get(name) else "Enter leaves it empty"
        what = "the path of the App's .pem file" if name == secrets.GITHUB_APP_KEY else secrets.WHAT[name]
        answer = ask(f"{name}: {what}. {state}: ").strip()
        if answer and name == secrets.GITHUB_APP_KEY and not answer.startswith("-----BEGIN "):
            try:
                answer = Path(answer).expanduser().read_text("utf-8").strip()
            except (OSError, ValueError):
                raise Unfilled(f"{name}: there is no such file, or it cannot be read.") from None
        if answer:
            answers[name] = checked(name, answer)
    return answers


def missing(stored: Mapping[str, Any], *, app: bool) -> list[str]:
    """What the bot cannot work without and does not have; with a GitHub App its key, else a token."""
    needed = (secrets.SLACK_SIGNING_SECRET, secrets.SLACK_BOT_TOKEN)
    return [name for name in (*needed, secrets.GITHUB_APP_KEY if app else secrets.GITHUB_TOKEN) if not stored.get(name)]


def stored_in(client: Any, arn: str) -> dict[str, Any]:
    """What the secret holds. Raises Unfilled where that is no JSON object: it is somebody's, and stays."""
    try:
        stored = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
    except client.exceptions.ResourceNotFoundException:
        raise Unfilled(f"There is no secret {arn} with a value in it.") from None
    except (ValueError, KeyError):
        stored = None
    if not isinstance(stored, dict):
        raise Unfilled(f"The secret {arn} holds no JSON object. Put {{}} into it first, if nobody needs what it holds.")
    return stored


def put(client: Any, arns: Mapping[str, str], given: Mapping[str, str]) -> tuple[list[str], dict[str, Any]]:
    """Put what is given beside what is there: the changed names, and the whole. Writes only where something changes,
    and nothing where one of the two cannot be read."""
    stored = {variable: stored_in(client, arn) for variable, arn in arns.items()}
    changed = [name for name, value in given.items() if stored[HOLDS[name]].get(name) != value]
    for variable, values in stored.items():
        values.update({name: value for name, value in given.items() if HOLDS[name] == variable})
        if any(HOLDS[name] == variable for name in changed):
            client.put_secret_value(SecretId=arns[variable], SecretString=json.dumps(values))
    return changed, {name: value for values in stored.values() for name, value in values.items()}


def secrets_of(cloudformation: Any, stack: str) -> dict[str, str]:
    """The ARNs of the stack's secrets. Raises Unfilled where there is no such stack or no such output."""
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise
        where = cloudformation.meta.region_name
        raise Unfilled(f"There is no stack {stack} in {where}, in the account of your credentials.") from None
    outputs = {one["OutputKey"]: str(one["OutputValue"]) for one in found.get("Outputs", [])}
    if missing := [name for name in SECRETS.values() if name not in outputs]:
        said = " and ".join(missing)
        raise Unfilled(f"The stack {stack} has no output {said}; is it this project's, and fully deployed?")
    return {variable: outputs[name] for variable, name in SECRETS.items()}


def told(stack: str, changed: list[str], whole: Mapping[str, Any]) -> str:
    """What was done, by names."""
    filled = [name for name in SOURCES if whole.get(name)]
    kept = [name for name in filled if name not in changed]
    empty = [name for name in (secrets.SLACK_SIGNING_SECRET, secrets.SLACK_BOT_TOKEN) if name not in filled]
    if not {secrets.GITHUB_TOKEN, secrets.GITHUB_APP_KEY} & set(filled):
        empty.append(f"{secrets.GITHUB_TOKEN} (or {secrets.GITHUB_APP_KEY})")
    lines = [f"Put into the secrets of {stack}: {', '.join(changed) or 'nothing, all is as given'}."]
    lines += [f"Kept: {', '.join(kept)}."] if kept else []
    lines += [f"Still missing: {', '.join(empty)}."] if empty else []
    lines += ["The functions read it afresh within five minutes."] if changed else []
    return "\n".join(lines)


def main(arguments: list[str], env: Mapping[str, str] = os.environ, ask: Callable[[str], str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make secret", description="Fill the stack's secrets.")
    parser.add_argument("--stack", default=stack_name(env), help="name of the stack")
    parser.add_argument("--from-environment", action="store_true", help="ask nothing")
    chosen = parser.parse_args(arguments)
    ask = ask or (getpass.getpass if sys.stdin.isatty() else None)
    try:
        given = from_environment(env)
        if not given and (chosen.from_environment or ask is None):
            print(f"No secret is given ({', '.join(SOURCES)}); those of {chosen.stack} stay as they are.")
            return 0 if chosen.from_environment else 2
        arns = secrets_of(boto3.client("cloudformation"), chosen.stack)
        client = boto3.client("secretsmanager")
        if ask and not chosen.from_environment:
            stored = {name: value for arn in arns.values() for name, value in stored_in(client, arn).items()}
            given = asked(stored, given, ask)
        print(told(chosen.stack, *put(client, arns, given)))
    except Unfilled as problem:
        print(f"Nothing was changed. {problem}", file=sys.stderr)
        return 1
    except (ClientError, BotoCoreError) as error:
        # botocore's own texts name the request and what it was for, never a value of ours
        said = f"AWS answered {error_code(error)}" if error_code(error) else type(error).__name__
        said = meaning(error) or f"{said}: see the rights at the top of scripts/stack_secret.py."
        print(f"Nothing was changed. {said}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
