"""The pipeline's two words with the bot: `claim` before a stage's first deed, `finish` after its last.

Runs on GitHub's runners with nothing but Python. Everything comes through the environment, so that no value
of the event ever stands in a shell command:

    CLAIM_URL, TICKET, RUN_ID, RUN_ATTEMPT    claim: what the event and the run say
    TOKEN_FILE                                where claim leaves the finish token for finish (mode 600)
    OUTCOME, STEPS, JOB                       finish: job.status, toJSON(steps), github.job
    IMAGE, TASK_DEFINITION, CODEDEPLOY_DEPLOYMENT_ID    finish: what the stage brought about
    TESTS_RESULT, TESTS_FAILED_STEP           tests, finish: the result of the job Test, and its step that failed
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
OUTPUTS = ("image", "task_definition", "codedeploy_deployment_id")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def post(url: str, body: Mapping[str, Any], pause: Callable[[float], None] = time.sleep) -> tuple[int, dict[str, Any]]:
    """POST JSON; status and answer. Raises Refused when the bot cannot be reached after all tries."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Refused("The event's claim_url is no https address.")
    data = json.dumps(body).encode()
    problem = ""
    for wait in (*PAUSES_SECONDS, None):
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at above
            url, data=data, method="POST", headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - likewise
                return answer.status, _json(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                reply = _json(error.read())
            if error.code not in AGAIN:
                return error.code, reply
            problem = f"it answered {error.code}"
        except (OSError, http.client.HTTPException) as error:
            problem = type(error).__name__
        if wait is not None:
            pause(wait)
    raise Refused(f"The deploy bot cannot be reached at {parts.scheme}://{parts.netloc}{parts.path}: {problem}.")


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def claim(env: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> None:
    """Exchange the ticket for permission to run this stage. Raises Refused when there is none."""
    status, answer = post(
        env["CLAIM_URL"],
        {"ticket": env["TICKET"], "run_id": int(env["RUN_ID"]), "run_attempt": int(env["RUN_ATTEMPT"])},
        pause,
    )
    token = str(answer.get("finish_token") or "")
    if status != 200 or not token:
        raise Refused(str(answer.get("message") or f"The deploy bot refused this stage ({status})."))
    # The runner takes this line out of the log and hides the value wherever it appears from here on.
    print(f"::add-mask::{token}", flush=True)
    file = os.open(env["TOKEN_FILE"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w") as out:
        out.write(token)
    print("Claimed: this run may do its stage.")


def failed_step(steps: Mapping[str, Any]) -> str:
    """The first step that failed or was cancelled, readable: `run-tests` is `Run tests`."""
    for name, step in steps.items():
        if isinstance(step, dict) and step.get("outcome") in ("failure", "cancelled"):
            return name.replace("-", " ").capitalize()
    return ""


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
    token = Path(env["TOKEN_FILE"]).read_text()
    outcome = env["OUTCOME"] if env["OUTCOME"] in ("success", "failure", "cancelled") else "failure"
    outputs = {name: env[name.upper()] for name in OUTPUTS if env.get(name.upper())}
    if outcome != "success":
        outputs["failed_job"], outputs["failed_step"] = failed(env)
    address = env["CLAIM_URL"].removesuffix("/claim") + "/finish"
    body = {"finish_token": token, "run_id": int(env["RUN_ID"]), "outcome": outcome, "outputs": outputs}
    status, answer = post(address, body, pause)
    if status != 200:
        raise Refused(str(answer.get("message") or f"The deploy bot did not take the result ({status})."))
    print(f"Reported: {outcome}.")


def source(env: Mapping[str, str]) -> None:
    """Make sure that the promised commit is the one that was checked out. Raises Refused otherwise."""
    found = subprocess.run(
        ["git", "-C", env["SOURCE"], "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    if not found or found != env["SHA"]:
        raise Refused(f"Checked out {found or 'nothing'}, and the deployment is of {env['SHA']}.")
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
