"""The pipeline and the bot: `claim` before a job does anything, `finish` after its last step.

Runs on GitHub's runners with nothing but Python. Everything comes through the environment, so that no value
of the event ever stands in a shell command:

    CHATOPS_URL, CHATOPS_AUDIENCE             claim, finish: the bot's address (https://…/prod) and the audience of the
                                              tokens that it takes; the workflow has both, never the event
    GITHUB_EVENT_PATH                         claim, finish: the event's file, which holds the ticket. (A step's own
                                              environment is printed in its log.)
    ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN    where the job's OIDC token is asked for
    OUTCOME, STEPS, JOB                       finish: job.status, toJSON(steps), github.job
    IMAGE, TASK_DEFINITION, CODEDEPLOY_DEPLOYMENT_ID    finish: what the stage brought about
    TESTS_RESULT, TESTS_FAILED_STEP           tests, finish: the result of the job Test, and its step that failed
    TESTS                                     finish: `none` where the commit has none
    SHA, SOURCE                               source: the commit promised, the folder checked out
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import runner
from runner import Refused

TIMEOUT_SECONDS = 10.0
PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, *[30.0] * 19)
"""Between tries while the bot cannot be reached, ten minutes in all; claim and finish may be repeated (same run, same
answer)."""
AGAIN = frozenset({429, 500, 502, 503, 504})
OUTPUTS = ("image", "platform", "task_definition", "codedeploy_deployment_id")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def ticket(env: Mapping[str, str]) -> str:
    """The event's ticket, masked in the log from here on. Raises Refused for an event that isn't one of the bot's."""
    try:
        payload = _json(Path(env["GITHUB_EVENT_PATH"]).read_bytes()).get("client_payload") or {}
    except OSError as error:
        raise Refused(f"The event's file cannot be read ({type(error).__name__}).") from None
    found = payload.get("ticket")
    if not isinstance(found, str) or not found.isprintable() or not found:
        raise Refused("The event brings no ticket. Deployments are started in Slack.")
    print(f"::add-mask::{found}", flush=True)
    if "claim_url" in payload:
        raise Refused(
            "The event brings a claim_url. Only the workflow says where the bot is: the event was not its own."
        )
    return found


def post(
    env: Mapping[str, str], what: str, body: Mapping[str, Any], pause: Callable[[float], None] = time.sleep
) -> tuple[int, dict[str, Any]]:
    """POST JSON to the bot, with a new token for each try; status and answer. Raises Refused when it cannot be reached
    after all tries."""
    url, audience = f"{env.get('CHATOPS_URL', '').rstrip('/')}/stages/{what}", env.get("CHATOPS_AUDIENCE", "")
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Refused("chatops_url should hold the bot's https address. `make caller STACK=…` writes it.")
    if not audience:
        raise Refused("chatops_audience is empty. `make caller STACK=…` writes it.")
    data = json.dumps(body).encode()
    problem = ""
    for wait in (*PAUSES_SECONDS, None):
        status, reply, problem = _try(env, url, audience, data)
        if not problem:
            return status, reply
        if wait is not None:
            pause(wait)
    raise Refused(f"The deploy bot cannot be reached at {parts.scheme}://{parts.netloc}{parts.path}: {problem}.")


def _try(env: Mapping[str, str], url: str, audience: str, data: bytes) -> tuple[int, dict[str, Any], str]:
    """One try: status, answer, and what was wrong where it should be tried again."""
    try:
        token = id_token(env, audience)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return 0, {}, f"GitHub gave no token ({type(error).__name__})"
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        status, content = _send(urllib.request.Request(url, data=data, method="POST", headers=headers))  # noqa: S310 - the scheme was looked at
    except (OSError, http.client.HTTPException) as error:
        return 0, {}, type(error).__name__
    reply = _json(content)
    return status, reply, f"it answered {status} {reply.get('message', '')}".strip() if status in AGAIN else ""


def id_token(env: Mapping[str, str], audience: str) -> str:
    """A token by which this job says who it is; masked in the log. Raises Refused where the job may not have one,
    OSError, HTTPException, ValueError where GitHub does not give it now.

    https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
    """
    url, bearer = env.get("ACTIONS_ID_TOKEN_REQUEST_URL", ""), env.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
    if not url or not bearer:
        raise Refused("This job may not ask for a token: it needs `permissions: id-token: write`, its caller too.")
    asked = f"{url}{'&' if '?' in url else '?'}audience={urllib.parse.quote(audience, safe='')}"
    headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/json"}
    status, content = _send(urllib.request.Request(asked, headers=headers))  # noqa: S310 - the runner's own address
    found = _json(content).get("value")
    if status != http.client.OK or not isinstance(found, str) or not found or not found.isprintable():
        raise ValueError(status)
    print(f"::add-mask::{found}", flush=True)
    return found


def _send(request: urllib.request.Request) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - see the callers
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def claim(env: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> None:
    """Ask whether this run may do its stage. Raises Refused where it may not."""
    status, answer = post(env, "claim", {"ticket": ticket(env)}, pause)
    if status != http.client.OK:
        raise Refused(str(answer.get("message") or f"The deploy bot refused this stage ({status})."))
    print("Claimed: this run may do its stage.")


def failed_step(steps: Mapping[str, Any]) -> str:
    """The first step that failed or was cancelled, readable: `run-tests` is `Run tests`."""
    for name, step in steps.items():
        if isinstance(step, dict) and step.get("outcome") in ("failure", "cancelled"):
            return name.replace("-", " ").capitalize()
    return ""


def outputs_of(env: Mapping[str, str], outcome: str) -> dict[str, str]:
    """What the stage made, or where it failed; and that a commit has no tests, which people should know."""
    found = {name: env[name.upper()] for name in OUTPUTS if env.get(name.upper())}
    if outcome != "success":
        found["failed_job"], found["failed_step"] = failed(env)
    if env.get("TESTS") == "none":
        found["tests"] = "none"
    return found


def failed(env: Mapping[str, str]) -> tuple[str, str]:
    """The job and the step that failed: those of the job Test where that went before."""
    if env.get("TESTS_RESULT", "success") != "success":
        return "Test", env.get("TESTS_FAILED_STEP") or "Run the tests"
    return env.get("JOB", ""), failed_step(_json(env.get("STEPS", "").encode()))


def tests(env: Mapping[str, str]) -> None:
    """Let a build go on after successful tests only. Raises Refused otherwise."""
    if env["TESTS_RESULT"] != "success":
        raise Refused(f"Nothing is built: the job Test ended with {env['TESTS_RESULT'] or 'nothing'}.")
    print("The commit's tests have succeeded.")


def finish(env: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> None:
    """Report what came of the stage, once. Raises Refused if the bot does not take it."""
    outcome = env["OUTCOME"] if env["OUTCOME"] in ("success", "failure", "cancelled") else "failure"
    outputs = outputs_of(env, outcome)
    status, answer = post(env, "finish", {"ticket": ticket(env), "outcome": outcome, "outputs": outputs}, pause)
    if status != http.client.OK:
        raise Refused(str(answer.get("message") or f"The deploy bot did not take the result ({status})."))
    print(f"Reported: {outcome}.")


def source(env: Mapping[str, str]) -> None:
    """Make sure that the promised commit is the one that was checked out. Raises Refused otherwise."""
    asked = ["git", "-C", env["SOURCE"], "rev-parse", "HEAD"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    found = done.stdout.strip()
    if done.returncode:
        raise Refused(f"git does not say what was checked out: {done.stderr.strip()[-500:]}")
    if found != env["SHA"]:
        raise Refused(f"Checked out {found}, and the deployment is of {env['SHA']}.")
    print(f"Checked out {found}.")


COMMANDS: dict[str, Callable[[Mapping[str, str]], None]] = {
    "claim": claim,
    "finish": finish,
    "source": source,
    "tests": tests,
}


def main(arguments: list[str]) -> int:
    """Run one command. 0 if it went through; 1 with the reason as an annotation of the run."""
    try:
        COMMANDS[arguments[0]](os.environ)
    except Refused as refusal:
        print(runner.error(arguments[0], str(refusal)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
