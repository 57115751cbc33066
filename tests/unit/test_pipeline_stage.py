"""The pipeline's claim and finish, against a bot that answers as the `stage` function does."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
TOKEN = "f-canary-of-the-finish-token"


class Bot(ThreadingHTTPServer):
    """Answers with what `answers` holds, in order (the last one again and again); remembers what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, Any]]] = [(200, {"finish_token": TOKEN})]
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/prod/stages/claim"


class _Handler(BaseHTTPRequestHandler):
    server: Bot

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append((self.path, body))
        status, answer = self.server.answers[0]
        if len(self.server.answers) > 1:
            del self.server.answers[0]
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
    return {
        "PATH": os.environ["PATH"],
        "CLAIM_URL": bot.url,
        "TICKET": "t-1",
        "RUN_ID": "4711",
        "RUN_ATTEMPT": "1",
        "TOKEN_FILE": str(tmp_path / "token"),
        "JOB": "Build",
    }


def say(word: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / "chatops_stage.py"), word],
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_a_claim_sends_the_ticket_and_keeps_the_token_from_the_log(bot: Bot, env: dict[str, str]) -> None:
    done = say("claim", env)
    assert done.returncode == 0, done.stdout
    assert bot.calls == [("/prod/stages/claim", {"ticket": "t-1", "run_id": 4711, "run_attempt": 1})]
    # The runner eats the one line that masks the token; nothing else may hold it.
    assert done.stdout.splitlines()[0] == f"::add-mask::{TOKEN}"
    assert TOKEN not in "".join(done.stdout.splitlines(keepends=True)[1:]) + done.stderr
    token = Path(env["TOKEN_FILE"])
    assert token.read_text() == TOKEN
    assert token.stat().st_mode & 0o777 == 0o600


def test_a_refused_claim_fails_the_job_with_the_bots_words(bot: Bot, env: dict[str, str]) -> None:
    bot.answers = [(403, {"message": "This ticket was used.\n::set-env name=A::b"})]
    done = say("claim", env)
    assert done.returncode == 1
    assert done.stdout == "::error title=claim::This ticket was used.%0A::set-env name=A::b\n"
    assert not Path(env["TOKEN_FILE"]).exists()
    assert len(bot.calls) == 1, "a refusal is final"


def test_a_claim_over_plain_http_is_not_made(env: dict[str, str]) -> None:
    done = say("claim", env | {"CLAIM_URL": "http://deploybot.invalid/prod/stages/claim"})
    assert (done.returncode, done.stdout) == (
        1,
        "::error title=claim::The event's claim_url is no https address.\n",
    )


def test_a_bot_that_stumbles_is_asked_again(bot: Bot, env: dict[str, str], load_stage: Any) -> None:
    bot.answers = [(500, {}), (503, {}), (200, {"finish_token": TOKEN})]
    pauses: list[float] = []
    load_stage.claim(env, pauses.append)
    assert len(bot.calls) == 3
    assert pauses == [1.0, 2.0]


def test_a_bot_that_stays_away_for_ten_minutes_ends_the_job(bot: Bot, env: dict[str, str], load_stage: Any) -> None:
    bot.answers = [(502, {})]
    pauses: list[float] = []
    with pytest.raises(load_stage.Refused, match="it answered 502"):
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
    Path(env["TOKEN_FILE"]).write_text(TOKEN)
    done = say("finish", env | {"OUTCOME": "success", "IMAGE": "repo@sha256:1", "TASK_DEFINITION": "", "STEPS": "{}"})
    assert (done.returncode, done.stdout) == (0, "Reported: success.\n")
    assert bot.calls == [
        (
            "/prod/stages/finish",
            {
                "finish_token": TOKEN,
                "run_id": 4711,
                "outcome": "success",
                "outputs": {"image": "repo@sha256:1"},
            },
        )
    ]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("failure", "failure"), ("cancelled", "cancelled"), ("", "failure"), ("new word", "failure")],
)
def test_finish_names_the_step_that_broke(bot: Bot, env: dict[str, str], status: str, outcome: str) -> None:
    Path(env["TOKEN_FILE"]).write_text(TOKEN)
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
    done = say("tests", env | given)
    assert done.returncode == 1
    assert f"the job Test ended with {result}" in done.stdout


def test_after_successful_tests_the_build_goes_on(env: dict[str, str], load_stage: Any) -> None:
    given = {"TESTS_RESULT": "success", "STEPS": json.dumps({"push-the-image": {"outcome": "failure"}})}
    assert say("tests", env | given).returncode == 0
    assert load_stage.failed(env | given) == ("Build", "Push the image")


def test_a_finish_that_is_not_taken_fails_the_job(bot: Bot, env: dict[str, str]) -> None:
    Path(env["TOKEN_FILE"]).write_text(TOKEN)
    bot.answers = [(403, {"message": "This stage was reported before."})]
    done = say("finish", env | {"OUTCOME": "success", "STEPS": "{}"})
    assert done.returncode == 1
    assert TOKEN not in done.stdout + done.stderr


def test_another_commit_than_the_promised_one_stops_the_job(tmp_path: Path, env: dict[str, str]) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    sha = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert say("source", env | {"SOURCE": str(tmp_path), "SHA": sha}).returncode == 0
    assert say("source", env | {"SOURCE": str(tmp_path), "SHA": "main"}).returncode == 1
    assert say("source", env | {"SOURCE": str(tmp_path / "none"), "SHA": ""}).returncode == 1


@pytest.fixture
def load_stage(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import chatops_stage  # type: ignore[import-not-found, unused-ignore]

    return chatops_stage
