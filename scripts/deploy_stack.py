"""make deploy: `sam deploy` of what `make build` has built, so that every change reaches the functions.

At a terminal it asks what it needs and cannot know, and CloudFormation's list of changes is confirmed before anything
happens. `make deploy NAME=value` sets a parameter, ASK=1 asks for all, STACK=name names the stack. What is neither
given nor asked stays what it is in the stack.

A pipeline is asked nothing. Of its variables (VARIABLES, a JSON object): CHATOPS_STACK_NAME (default platform-deploy),
CHATOPS_ARTIFACTS_BUCKET (default: SAM's own) and CHATOPS_CLOUDFORMATION_ROLE_ARN (default: the caller's own rights),
the latter two made by templates/bootstrap.yaml, and what `stack_parameters` reads.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from chatops.aws import error_code
from scripts import set_up, stack_parameters, stack_questions, stack_release, stack_state
from scripts.deploy_ready import append
from scripts.stack_parameters import Unusable
from scripts.stack_state import Stack
from scripts.terminal import meaning

ROOT = Path(__file__).resolve().parents[1]
SAM = ROOT / ".venv-tools/sam/bin/sam"
BUILT = ROOT / ".aws-sam/build/template.yaml"
SHOWN = ("SlackRequestUrl", "StateMachineConsole", "DashboardConsole", "SlackSecretArn", "GithubSecretArn")
STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,72}")  # a state machine's name, which ends in -deploy, has 80 at most
EMPTY = "(empty)"

Ask = Callable[[str], str]


def command(env: Mapping[str, str], stack: Stack, parameters: Path | None, *, confirm: bool) -> list[str]:
    """`sam deploy`, with everything that it would ask about. Parameters come in a file, whatever their values hold."""
    given = stack_parameters.variables(env)
    bucket, role = given.get("CHATOPS_ARTIFACTS_BUCKET"), given.get("CHATOPS_CLOUDFORMATION_ROLE_ARN")
    return [
        *(str(SAM), "deploy", "--template-file", str(BUILT), "--stack-name", stack.name, "--region", stack.region),
        # What never differs. SAM would look for the file beside the built template, and go on without it.
        *("--config-file", str(ROOT / "samconfig.toml"), "--config-env", "pipeline"),
        "--confirm-changeset" if confirm else "--no-confirm-changeset",
        *(("--s3-bucket", bucket) if bucket else ("--resolve-s3",)),
        *(("--role-arn", role) if role else ()),
        *(("--parameter-overrides", f"file://{parameters}") if parameters else ()),
    ]


def find(client: Any, env: Mapping[str, str], name: str, ask: Ask | None) -> Stack:
    """The stack to deploy to: the one that is named, else the usual one, else what a person says. Raises Unusable where
    it cannot be deployed to.
    """
    stack = _described(client, name or stack_parameters.stack_name(env))
    if ask and not name and not stack.status:
        print(f"There is no stack {stack.name} in {stack.region}, in the account of your credentials.")
        if answer := ask(f"Name of the stack, new or not [{stack.name}]: ").strip():
            stack = _described(client, answer)
    if problem := stack_state.obstacle(stack):
        raise Unusable(problem)
    if problem := stack_state.not_ours(stack, stack_parameters.missing({}), SHOWN):
        raise Unusable(problem)
    return stack


def _described(client: Any, name: str) -> Stack:
    if not STACK_NAME.fullmatch(name):
        raise Unusable(f"{name!r} is no name for a stack: letters, digits and dashes, a letter first, at most 73.")
    return stack_state.describe(client, name)


def settle(env: Mapping[str, str], stack: Stack, ask: Ask | None, *, everything: bool) -> dict[str, str]:
    """The parameters to set: what is given, and what a person answers. Raises Unusable."""
    given = stack_parameters.overrides(env, new=stack.new, kept=stack.parameters, required=ask is None)
    if ask is None:
        print(f"Parameters that are set: {', '.join(sorted(given)) or 'none'}; others stay as they are.")
        return given
    known = {**stack.parameters, **given}
    names = stack_questions.wanted(known, given, new=stack.new, everything=everything)
    if stack.new:
        print(f"{stack.name} will be made in {stack.region}.")
    else:
        print(f"{stack.name} in {stack.region} keeps what is not given or asked here (make deploy ASK=1 asks for all).")
    given |= stack_questions.answers(names, known, ask)
    for name in sorted(given):
        before = stack.parameters.get(name)
        if given[name] != before:
            print(f"  {name}: {'' if before is None else f'{before or EMPTY} -> '}{given[name] or EMPTY}")
    return given


def deploy(
    env: Mapping[str, str],
    ask: Ask | None = None,
    *,
    name: str = "",
    everything: bool = False,
    check: bool = False,
    then: Callable[[str], int] | None = None,
) -> int:
    """Deploy, and show where things are. `ask` asks a person, `check` only says whether a deployment could begin,
    `then` goes on with the stack of that name, new or as it was.
    """
    try:
        client = boto3.client("cloudformation")
        before = find(client, env, name, None if check else ask)
        if check:
            stack_parameters.overrides(env, new=before.new, kept=before.parameters, required=ask is None)
            return 0
        given = settle(env, before, ask, everything=everything)
        release = stack_release.write(BUILT, given, before.parameters)
    except Unusable as problem:
        return _not_deployed(ask, str(problem))
    except (ClientError, BotoCoreError) as error:
        said = meaning(error) or f"AWS does not show the stack ({error_code(error) or type(error).__name__})."
        return _not_deployed(ask, f"{said} Nothing was changed.")
    except (OSError, ValueError, yaml.YAMLError) as error:
        return _not_deployed(ask, f"There is no template that make build has made ({error}). Run make build first.")
    except EOFError:
        return _not_deployed(ask, "An answer is missing. Nothing was changed.")
    print(f"Release {release}: where it is not that of the stack, all functions get new versions.")
    done = _sam(env, before, given, confirm=ask is not None)
    code = _reported(client, env, before, done, ask, guided=then is not None)
    return then(before.name) if then and not code and _is_there(client, before.name) else code


def _is_there(client: Any, name: str) -> bool:
    """Whether there is something to go on with; where AWS does not say, what comes next will."""
    try:
        return not stack_state.describe(client, name).new
    except (ClientError, BotoCoreError):
        return True


def _sam(env: Mapping[str, str], stack: Stack, given: Mapping[str, str], *, confirm: bool) -> int:
    """Run `sam deploy`: its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "parameters.yaml"
        file.write_text(json.dumps(given), "utf-8")  # JSON is YAML, and SAM takes no .json
        arguments = command(env, stack, file if given else None, confirm=confirm)
        sys.stdout.flush()  # a runner's log is no terminal: what was said before would stand behind what SAM says
        return subprocess.run(arguments, env={**env, "SAM_CLI_TELEMETRY": "0"}, check=False, cwd=ROOT).returncode


def _reported(
    client: Any, env: Mapping[str, str], before: Stack, code: int, ask: Ask | None, *, guided: bool = False
) -> int:
    """Say what became of it."""
    try:
        after = stack_state.describe(client, before.name)
    except (ClientError, BotoCoreError) as error:
        said = meaning(error) or error_code(error) or type(error).__name__
        if not code:
            print(f"sam deploy has ended well; the outputs of {before.name} could not be read ({said}).")
            return 0
        text = f"sam deploy failed (see above), and what it left of {before.name} could not be read ({said})."
        return _not_deployed(ask, f"{text} Look at the stack in the CloudFormation console.", code)
    if code:
        reason = stack_state.cause(client, after.name) if after.revision != before.revision else ""
        left = stack_state.left_by_failure(before, after)
        return _not_deployed(ask, f"sam deploy failed (see above). {f'{reason} ' if reason else ''}{left}", code)
    if ask and (after.new or (after.revision, after.status) == (before.revision, before.status)):
        print(f"Nothing was deployed: {after.name} is as it was before.")
        return 0
    rows = "".join(f"| {name} | {after.outputs[name]} |\n" for name in SHOWN if name in after.outputs)
    append(env, "GITHUB_STEP_SUMMARY", f"### Deployed {after.name}\n\n| output | value |\n|---|---|\n{rows}")
    if ask and before.new and not guided:
        print(f"Deployed. Next: make install STACK={after.name} goes on with the Slack app and the secrets.")
    return 0


def _not_deployed(ask: Ask | None, text: str, code: int = 1) -> int:
    """Say it to a person, or as a workflow command (one line, whatever CloudFormation says)."""
    if ask:
        print(f"Not deployed. {text}", file=sys.stderr)
    else:
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print(f"::error title=Not deployed::{escaped}")
    return code


def main(arguments: list[str], env: Mapping[str, str] = os.environ, ask: Ask | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make deploy", description="Deploy the stack.")
    parser.add_argument("--stack", default="", help="name of the stack")
    parser.add_argument("--ask", action="store_true", help="ask for every parameter")
    parser.add_argument("--check", action="store_true", help="only say whether a deployment could begin")
    parser.add_argument("--install", action="store_true", help="go on with the Slack app, the secrets and the doctor")
    chosen = parser.parse_args(arguments)
    if ask is None and "VARIABLES" not in env and sys.stdin.isatty():
        ask = input
    if chosen.install and ask is None:
        print("make install asks: run it at a terminal. A pipeline has make deploy and make secret.", file=sys.stderr)
        return 2
    then = (lambda name: set_up.go_on(name, env)) if chosen.install else None
    try:
        return deploy(env, ask, name=chosen.stack, everything=chosen.ask, check=chosen.check, then=then)
    except KeyboardInterrupt:
        print("\nInterrupted. If CloudFormation had begun, it goes on: look at the stack before deploying again.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
