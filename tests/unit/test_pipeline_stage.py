"""The pipeline's claim and finish, against a bot that answers as the `stage` function does."""

from __future__ import annotations

import http.client
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.unit.git_folder import commit

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
TICKET, TOKEN, RUNNER = "t-canary-of-the-ticket", "j-canary-of-the-jobs-token", "r-canary-of-the-runner"
AUDIENCE = "platform-deploy:123456789012:us-east-1:platform-deploy"


class Bot(ThreadingHTTPServer):
    """Answers with what `answers` holds, in order (the last one again and again); remembers what came. It is the
    runner, too, which gives a job its tokens: a new one each time, as long as `tokens` says so."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, Any]]] = [(200, {})]
        self.tokens: list[tuple[int, dict[str, Any]]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.bearers: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Bot

    def do_GET(self) -> None:
        bot = self.server
        bot.asked.append((self.path, self.headers["Authorization"]))
        self._reply(*(bot.tokens.pop(0) if bot.tokens else (200, {"count": 1, "value": f"{TOKEN}-{len(bot.asked)}"})))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append((self.path, body))
        self.server.bearers.append(self.headers["Authorization"].removeprefix("Bearer "))
        answers = self.server.answers
        self._reply(*(answers.pop(0) if len(answers) > 1 else answers[0]))

    def _reply(self, status: int, answer: dict[str, Any]) -> None:
        reply = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def bot() -> Iterator[Bot]:
    server = Bot()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def env(bot: Bot, tmp_path: Path) -> dict[str, str]:
    made = {
        "PATH": os.environ["PATH"],
        "CHATOPS_URL": f"{bot.url}/prod",
        "CHATOPS_AUDIENCE": AUDIENCE,
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{bot.url}/idtoken?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": RUNNER,
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "JOB": "Build",
    }
    event(made, ticket=TICKET)
    return made


def event(env: dict[str, str], **payload: Any) -> None:
    """What GitHub writes into the event's file."""
    Path(env["GITHUB_EVENT_PATH"]).write_text(json.dumps({"action": "dev_deploy", "client_payload": payload}), "utf-8")


def say(word: str, env: dict[str, str]) -> tuple[int, str]:
    """The exit code of the script, run in this process, and what it writes for the runner."""
    with patch.object(sys, "path", [str(SCRIPTS), *sys.path]):
        import chatops_stage  # type: ignore[import-not-found, unused-ignore]
    with patch.dict(os.environ, env, clear=True), redirect_stdout(io.StringIO()) as out:
        return chatops_stage.main([word]), out.getvalue()


def test_a_claim_sends_the_ticket_with_the_jobs_token_and_keeps_both_from_the_log(
    bot: Bot, env: dict[str, str]
) -> None:
    command = [sys.executable, str(SCRIPTS / "chatops_stage.py"), "claim"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout
    assert bot.calls == [("/prod/stages/claim", {"ticket": TICKET})]
    assert bot.bearers == [f"{TOKEN}-1"]
    audience = "platform-deploy%3A123456789012%3Aus-east-1%3Aplatform-deploy"
    assert bot.asked == [(f"/idtoken?api-version=2.0&audience={audience}", f"Bearer {RUNNER}")]
    # The runner eats the lines that mask; nothing else may hold what they hide.
    masks = [f"::add-mask::{TICKET}", f"::add-mask::{TOKEN}-1"]
    assert done.stdout.splitlines() == [*masks, "Claimed: this run may do its stage."]
    assert done.stderr == ""


def test_a_refused_claim_fails_the_job_with_the_bots_words(bot: Bot, env: dict[str, str]) -> None:
    bot.answers = [(403, {"message": "This ticket was used.\n::set-env name=A::b"})]
    status, text = say("claim", env)
    assert status == 1
    assert text.splitlines()[2:] == ["::error title=claim::This ticket was used.%0A::set-env name=A::b"]
    assert len(bot.calls) == 1, "a refusal is final"


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "plain http": ({"CHATOPS_URL": "http://deploybot.invalid/prod"}, "chatops_url should hold the bot's https address"),
    "no address": ({"CHATOPS_URL": ""}, "chatops_url should hold"),
    "a file": ({"CHATOPS_URL": "file:///etc/passwd"}, "chatops_url should hold"),
    "no audience": ({"CHATOPS_AUDIENCE": ""}, "chatops_audience is empty"),
    "a job without the right to a token": ({"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, "id-token: write"),
    "a job without the runner's token": ({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""}, "id-token: write"),
    "no event": ({"GITHUB_EVENT_PATH": "/nowhere"}, "event's file cannot be read"),
}


@pytest.mark.parametrize("word", ["claim", "finish"])
@pytest.mark.parametrize("name", WRONG)
def test_what_the_workflow_lacks_is_said_and_nothing_is_sent(
    bot: Bot, env: dict[str, str], name: str, word: str
) -> None:
    changes, words = WRONG[name]
    status, text = say(word, env | changes | {"OUTCOME": "success"})
    assert (status, bot.calls) == (1, [])
    assert f"::error title={word}::" in text
    assert words in text


def test_an_event_that_names_its_own_judge_is_refused(bot: Bot, env: dict[str, str]) -> None:
    """S1: sent by hand, with an address that grants everything."""
    event(env, ticket=TICKET, claim_url=f"{bot.url}/evil/claim")
    for word in ("claim", "finish"):
        status, text = say(word, env | {"CLAIM_URL": f"{bot.url}/evil/claim", "OUTCOME": "success"})
        assert status == 1
        assert "Only the workflow says where the bot is" in text
    assert bot.calls == []


EVENTS = [
    "",
    "[]",
    "{",
    *(f'{{"client_payload": {each}}}' for each in ("null", "[]", '{"ticket": 7}', '{"ticket": ""}')),
]
EVENTS += ['{"client_payload": {"ticket": "a\\n::set-env name=A::b"}}']


@pytest.mark.parametrize("content", EVENTS)
def test_an_event_without_a_ticket_is_not_one_of_the_bots(bot: Bot, env: dict[str, str], content: str) -> None:
    Path(env["GITHUB_EVENT_PATH"]).write_text(content, "utf-8")
    refusal = "::error title=claim::The event brings no ticket. Deployments are started in Slack.\n"
    assert (say("claim", env), bot.calls) == ((1, refusal), [])


def test_a_bot_that_stumbles_is_asked_again_with_a_new_token(bot: Bot, env: dict[str, str], load_stage: Any) -> None:
    bot.answers = [(500, {}), (503, {}), (429, {}), (200, {})]
    pauses: list[float] = []
    load_stage.claim(env, pauses.append)
    assert bot.bearers == [f"{TOKEN}-{n}" for n in (1, 2, 3, 4)]
    assert pauses == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    "answer", [(500, {}), (429, {}), (200, {}), (200, {"value": ""}), (200, {"value": 7}), (403, {})]
)
def test_a_token_that_github_does_not_give_is_asked_for_again(
    bot: Bot, env: dict[str, str], load_stage: Any, answer: tuple[int, dict[str, Any]]
) -> None:
    bot.tokens = [answer, answer]
    pauses: list[float] = []
    load_stage.claim(env, pauses.append)
    assert (len(bot.asked), len(bot.calls), pauses) == (3, 1, [1.0, 2.0])


def test_a_bot_that_stays_away_for_ten_minutes_ends_the_job(bot: Bot, env: dict[str, str], load_stage: Any) -> None:
    bot.answers = [(503, {"message": "Try again."})]
    pauses: list[float] = []
    with pytest.raises(load_stage.Refused, match="it answered 503 Try again"):
        load_stage.claim(env, pauses.append)
    assert len(bot.calls) == len(pauses) + 1
    assert sum(pauses) == 600


def test_an_answer_that_is_cut_off_is_asked_for_again(
    bot: Bot, env: dict[str, str], load_stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """http.client's own errors are no OSError."""
    ask, cut = load_stage.urllib.request.urlopen, [http.client.IncompleteRead(b"{"), http.client.BadStatusLine("x")]

    def urlopen(*arguments: Any, **more: Any) -> Any:
        if cut:
            raise cut.pop()
        return ask(*arguments, **more)

    monkeypatch.setattr(load_stage.urllib.request, "urlopen", urlopen)
    load_stage.claim(env, lambda _: None)
    assert len(bot.calls) == 1


def test_finish_reports_success_with_what_was_built(bot: Bot, env: dict[str, str]) -> None:
    given = {"OUTCOME": "success", "IMAGE": "repo@sha256:1", "TASK_DEFINITION": "", "STEPS": "{}"}
    status, text = say("finish", env | given)
    assert (status, text.splitlines()[2:]) == (0, ["Reported: success."])
    report = {"ticket": TICKET, "outcome": "success", "outputs": {"image": "repo@sha256:1"}}
    assert (bot.calls, bot.bearers) == ([("/prod/stages/finish", report)], [f"{TOKEN}-1"])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("failure", "failure"), ("cancelled", "cancelled"), ("", "failure"), ("new word", "failure")],
)
def test_finish_names_the_step_that_broke(bot: Bot, env: dict[str, str], status: str, outcome: str) -> None:
    steps = {
        "claim-the-stage": {"outcome": "success"},
        "run-the-tests": {"outcome": "failure" if status != "cancelled" else "cancelled"},
        "build-and-push": {"outcome": "skipped"},
    }
    say("finish", env | {"OUTCOME": status, "STEPS": json.dumps(steps)})
    report = bot.calls[0][1]
    assert report["outcome"] == outcome
    assert report["outputs"] == {"failed_job": "Build", "failed_step": "Run the tests"}


@pytest.mark.parametrize(
    ("result", "step", "named"),
    [
        ("failure", "Run the tests", "Run the tests"),
        ("failure", "Check out the commit", "Check out the commit"),
        ("cancelled", "", "Run the tests"),
        ("skipped", "", "Run the tests"),
    ],
)
def test_finish_names_the_tests_step_where_the_tests_broke(
    bot: Bot, env: dict[str, str], result: str, step: str, named: str, load_stage: Any
) -> None:
    """The build job itself fails at looking at the tests, and is not what broke."""
    given = {"TESTS_RESULT": result, "TESTS_FAILED_STEP": step}
    steps = {"claim-the-stage": {"outcome": "success"}, "look-at-the-tests": {"outcome": "failure"}}
    assert load_stage.failed(env | given | {"STEPS": json.dumps(steps)}) == ("Test", named)
    status, text = say("tests", env | given)
    assert status == 1
    assert f"the job Test ended with {result}" in text


def test_after_successful_tests_the_build_goes_on(env: dict[str, str], load_stage: Any) -> None:
    given = {"TESTS_RESULT": "success", "STEPS": json.dumps({"push-the-image": {"outcome": "failure"}})}
    assert say("tests", env | given)[0] == 0
    assert load_stage.failed(env | given) == ("Build", "Push the image")


def test_a_commit_without_tests_is_reported_as_one(env: dict[str, str], load_stage: Any) -> None:
    given = env | {"IMAGE": "repo@sha256:1", "TESTS_RESULT": "success"}
    assert load_stage.outputs_of(given | {"TESTS": "none"}, "success") == {"image": "repo@sha256:1", "tests": "none"}
    for other in ("", "42", "`rm`"):
        assert load_stage.outputs_of(given | {"TESTS": other}, "success") == {"image": "repo@sha256:1"}


def test_a_finish_that_is_not_taken_fails_the_job(bot: Bot, env: dict[str, str]) -> None:
    bot.answers = [(403, {"message": "This stage was reported before."})]
    status, text = say("finish", env | {"OUTCOME": "success", "STEPS": "{}"})
    assert (status, text.splitlines()[2:]) == (1, ["::error title=finish::This stage was reported before."])


def test_another_commit_than_the_promised_one_stops_the_job(tmp_path: Path, env: dict[str, str]) -> None:
    env |= {"SOURCE": str(tmp_path), "SHA": commit(tmp_path, {})}
    assert say("source", env)[0] == 0
    assert say("source", env | {"SHA": "main"})[0] == 1
    assert say("source", env | {"SOURCE": str(tmp_path / "none"), "SHA": ""})[0] == 1
    # git's own switch for its tests: as in a container whose user is not the runner's
    status, text = say("source", env | {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    assert status == 1
    assert "dubious ownership" in text


@pytest.fixture
def load_stage(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import chatops_stage  # type: ignore[import-not-found, unused-ignore]

    return chatops_stage
