"""What the GitHub fake's pipeline does: claim, work, finish, conclude; cancelled, late or run again."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import pytest
from flask import Flask, request
from werkzeug.serving import make_server
from werkzeug.test import Client, TestResponse

from fakes.clock import Clock
from fakes.github import GitHub, Run, Script
from pipeline.caller import HERE, caller, path_of

REPO = "/repos/acme/checkout-api"
AUTH = {"Authorization": "Bearer ghp_local", "User-Agent": "tests"}
#: Instant unless a test says otherwise.
NOW = Script(appear_seconds=0, seconds=0)


class Bot:
    """The external service of claim and finish: one use per ticket, first attempts only."""

    def __init__(self) -> None:
        self.claims: list[dict[str, object]] = []
        self.finishes: list[dict[str, object]] = []
        self.tokens: list[dict[str, str]] = []
        self.broken = 0
        self.revoked = False  # after the first claim
        self.url = ""
        self.app = Flask("bot")
        self.app.add_url_rule("/prod/stages/<what>", view_func=self.answer, methods=["POST"])

    def answer(self, what: str) -> tuple[dict[str, str], int]:
        """Refuse like the real stage function."""
        body = request.get_json()
        _, claims, _ = request.headers["Authorization"].removeprefix("Bearer ").split(".")
        token = json.loads(base64.urlsafe_b64decode(f"{claims}=="))
        self.tokens.append(token)
        if self.broken:
            self.broken -= 1
            return {"message": "Internal Server Error"}, 500
        (self.claims if what == "claim" else self.finishes).append(body)
        late = self.revoked and len(self.claims) > 1
        if what == "claim" and (late or token["run_attempt"] != "1" or body["ticket"] != "ticket"):
            return {"message": "This ticket is not for you."}, 403
        return {}, 200


class Ecs:
    """As much of ECS as a deploy touches."""

    def __init__(self) -> None:
        self.images: list[str] = []
        self.deployments: list[str] = []
        self.live = ""
        self.strategy = ""
        self.broken = False

    def carry_out(self, step: str, stage: Mapping[str, str]) -> dict[str, str]:
        """The next revision, with the tag of the deployment that made it; a rollout happens at once."""
        if step == "Register task definition":
            self.images.append(stage["image"])
            self.deployments.append(stage["deployment_id"])
            arn = f"arn:aws:ecs:us-east-1:123456789012:task-definition/checkout-api:{len(self.images)}"
            return {"task_definition": arn}
        if step == "Update service":
            if self.broken:
                raise RuntimeError("ServiceNotFoundException")
            self.live, self.strategy = stage["task_definition"], stage["strategy"]
        return {}


@pytest.fixture
def bot() -> Iterator[Bot]:
    """A listening bot."""
    bot = Bot()
    server = make_server("127.0.0.1", 0, bot.app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    bot.url = f"http://127.0.0.1:{server.port}/prod"
    yield bot
    server.shutdown()


@pytest.fixture
def ecs() -> Ecs:
    """An empty cluster."""
    return Ecs()


@pytest.fixture
def github(ecs: Ecs, bot: Bot) -> Iterator[GitHub]:
    """A fake where everything is instant."""
    github = GitHub(Clock(1))
    github.deployers["dev"] = ecs
    github.script |= {"build": NOW, "deploy": NOW, "rollback": NOW}
    github.chatops_url, github.chatops_audience = bot.url, "audience"
    yield github
    github.close()


@pytest.fixture
def send(github: GitHub) -> Callable[..., TestResponse]:
    """Dispatch a stage, as the bot does."""

    def dispatch(stage: str = "build", **payload: object) -> TestResponse:
        wanted = {
            "deployment_id": "d-1",
            "stage": stage,
            "sha": "abc",
            "ticket": "ticket",
            "target": "dev",
        }
        body = {"event_type": "dev_deploy", "client_payload": wanted | payload}
        return Client(github.mount).post(f"{REPO}/dispatches", json=body, headers=AUTH)

    return dispatch


Send = Callable[..., TestResponse]


def until(true: Callable[[], object]) -> None:
    """Wait at most 5 s for something to become true."""
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def post(github: GitHub, run: Run, verb: str) -> TestResponse:
    """POST to a run."""
    return Client(github.mount).post(f"{REPO}/actions/runs/{run.id}/{verb}", headers=AUTH)


def steps(run: Run) -> list[tuple[str, str | None]]:
    """Names and conclusions of the steps that ran or did not."""
    return [(step.name, step.conclusion) for job in run.attempt_jobs() for step in job.steps]


def test_a_build_claims_works_and_reports_its_image(github: GitHub, bot: Bot, send: Send) -> None:
    assert send().status_code == 204
    assert github.settle()
    (run,) = github.runs
    assert (run.status, run.conclusion, run.title) == ("completed", "success", "d-1 build")
    assert run.head_sha == github.default_repository.head().sha
    assert bot.claims == [{"ticket": "ticket"}] * 2, "before the tests and after them"
    told = [(t["run_id"], t["run_attempt"], t["environment"], t["aud"]) for t in bot.tokens]
    assert told == [(str(run.id), "1", "dev-build", "audience")] * 3
    assert len({t["jti"] for t in bot.tokens}) == 3, "a new token each time"
    (finish,) = bot.finishes
    image = finish["outputs"]["image"]  # type: ignore[index]
    assert image.startswith("123456789012.dkr.ecr.us-east-1.amazonaws.com/checkout-api@sha256:")
    assert finish == {
        "ticket": "ticket",
        "outcome": "success",
        "outputs": {"image": image},
    }
    names = [
        "Set up job",
        "Claim the stage",
        "Check out",
        "Test",
        "Build image",
        "Finish the stage",
        "Complete job",
    ]
    assert steps(run) == [(name, "success") for name in names]
    assert [(job.name, job.conclusion) for job in run.jobs] == [
        ("build", "success"),
        ("deploy", "skipped"),
        ("rollback", "skipped"),
    ]


def test_a_step_with_another_name_than_the_workflows_is_carried_out(github: GitHub, send: Send) -> None:
    """Tests give steps long names while a run is at work."""
    github.script["build"] = Script(appear_seconds=0, seconds=1e9)
    send()
    until(lambda: github.runs and dict(steps(github.runs[0])).get("Claim the stage"))
    (run,) = github.runs
    last = next(step for step in run.attempt_jobs()[0].steps if step.name == "Finish the stage")
    last.name = "renamed"
    run.wake.set()
    assert github.settle()
    assert dict(steps(run))["renamed"] == "success"


def test_a_deploy_rolls_its_image_out_and_reports_the_task_definition(
    github: GitHub, bot: Bot, ecs: Ecs, send: Send
) -> None:
    send("deploy", image="registry/app@sha256:1")
    assert github.settle()
    assert (ecs.images, ecs.deployments) == (["registry/app@sha256:1"], ["d-1"])
    assert bot.finishes[0]["outputs"] == {"task_definition": ecs.live}


def test_a_refused_claim_stops_the_run_before_any_effect(github: GitHub, bot: Bot, ecs: Ecs, send: Send) -> None:
    send("deploy", ticket="stolen")
    assert github.settle()
    (run,) = github.runs
    assert (run.conclusion, run.claim_status, bot.finishes, ecs.images) == ("failure", 403, [], [])
    assert dict(steps(run))["Claim the stage"] == "failure"
    assert dict(steps(run))["Register task definition"] == "skipped"


@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_a_build_whose_second_claim_is_refused_pushes_and_reports_nothing(
    github: GitHub, bot: Bot, send: Send, outcome: str
) -> None:
    """Somebody has cancelled while the tests ran: as the job Build of dev_deploy.yml."""
    bot.revoked = True
    github.script["build"] = Script(outcome=outcome, appear_seconds=0, seconds=0)
    send()
    assert github.settle()
    assert (github.runs[0].conclusion, len(bot.claims), bot.finishes) == ("failure", 2, [])


def test_a_failing_step_is_named(github: GitHub, bot: Bot, send: Send) -> None:
    github.script["build"] = Script(outcome="failure", appear_seconds=0, seconds=0)
    send()
    assert github.settle()
    assert github.runs[0].conclusion == "failure"
    assert bot.finishes[0]["outcome"] == "failure"
    assert bot.finishes[0]["outputs"] == {"failed_job": "build", "failed_step": "Test"}
    assert dict(steps(github.runs[0]))["Build image"] == "skipped"


def test_a_deploy_that_ecs_refuses_is_a_failure(github: GitHub, bot: Bot, ecs: Ecs, send: Send) -> None:
    ecs.broken = True
    send("deploy")
    assert github.settle()
    assert bot.finishes[0]["outputs"]["failed_step"] == "Update service"  # type: ignore[index]


@pytest.mark.parametrize("outcome", ["timed_out", "neutral", "stale", "skipped", "action_required"])
def test_odd_conclusions_can_follow_a_claim(github: GitHub, bot: Bot, send: Send, outcome: str) -> None:
    github.script["build"] = Script(outcome=outcome, claims=True, appear_seconds=0, seconds=0)
    send()
    assert github.settle()
    # one that strikes the tests comes to no second job
    claims = 1 if outcome == "timed_out" else 2
    assert (github.runs[0].conclusion, len(bot.claims), bot.finishes) == (outcome, claims, [])


def test_a_lying_pipeline_reports_success_of_a_failure(github: GitHub, bot: Bot, send: Send) -> None:
    github.script["build"] = Script(outcome="failure", reports="success", appear_seconds=0, seconds=0)
    send()
    assert github.settle()
    assert (github.runs[0].conclusion, bot.finishes[0]["outcome"]) == ("failure", "success")


def test_a_bot_that_hiccups_is_asked_again(github: GitHub, bot: Bot, send: Send) -> None:
    github.clock.speed = 1000
    bot.broken = 2
    send()
    assert github.settle()
    assert github.runs[0].conclusion == "success"


def test_a_cancelled_run_stops_and_still_reports(github: GitHub, bot: Bot, ecs: Ecs, send: Send) -> None:
    github.script["deploy"] = Script(appear_seconds=0, seconds=3600)
    send("deploy")
    until(lambda: bot.claims)
    (run,) = github.runs
    response = post(github, run, "cancel")
    assert (response.status_code, response.json) == (202, {})
    assert github.settle()
    assert (run.status, run.conclusion, ecs.live) == ("completed", "cancelled", "")
    assert bot.finishes[0]["outcome"] == "cancelled"
    again = post(github, run, "cancel")
    assert again.status_code == 409
    assert again.json is not None
    assert again.json["message"] == "Cannot cancel a workflow run that is completed."


def test_a_run_cancelled_in_the_queue_never_claims(github: GitHub, bot: Bot, send: Send) -> None:
    github.script["build"] = Script(appear_seconds=0, queued_seconds=3600)
    send()
    post(github, github.runs[0], "cancel")
    assert github.settle()
    assert (github.runs[0].conclusion, bot.claims) == ("cancelled", [])


def test_a_cancel_can_be_ignored(github: GitHub, bot: Bot, send: Send) -> None:
    github.script["build"] = Script(appear_seconds=0, seconds=0.1, ignores_cancel=True)
    send()
    until(lambda: bot.claims)
    assert post(github, github.runs[0], "cancel").status_code == 202
    assert github.settle()
    assert github.runs[0].conclusion == "success"


def test_a_rerun_is_the_same_run_and_its_second_attempt(github: GitHub, bot: Bot, send: Send) -> None:
    send()
    assert github.settle()
    (run,) = github.runs
    assert post(github, run, "rerun").status_code == 201
    assert github.settle()
    assert {(token["run_id"], token["run_attempt"]) for token in bot.tokens} == {(str(run.id), "1"), (str(run.id), "2")}
    assert (github.runs, run.attempt, run.conclusion, run.claim_status) == ([run], 2, "failure", 403)
    jobs = Client(github.mount).get(f"{REPO}/actions/runs/{run.id}/jobs?filter=all", headers=AUTH).json
    assert jobs is not None
    assert jobs["total_count"] == 6


def test_a_rerun_of_a_running_run_is_403(github: GitHub, bot: Bot, send: Send) -> None:
    github.script["build"] = Script(appear_seconds=0, seconds=3600)
    send()
    until(lambda: bot.claims)
    assert post(github, github.runs[0], "rerun").status_code == 403


def test_runs_may_never_appear(github: GitHub, send: Send) -> None:
    github.script["build"] = Script(never_appears=True)
    assert send().status_code == 204
    github.script["build"], github.actions_enabled = NOW, False
    assert send().status_code == 204
    github.actions_enabled = True
    github.default_repository.files["main"] = {path_of("prod"): caller("prod", "prod_deploy", HERE)}
    assert send().status_code == 204
    assert github.settle()
    assert github.runs == []


def test_a_run_appears_after_its_time(github: GitHub, send: Send) -> None:
    github.script["build"] = Script(appear_seconds=0.05, seconds=0)
    send()
    assert github.runs == []
    assert github.settle()
    assert len(github.runs) == 1


def test_a_hand_sent_event_runs_the_same_workflow(github: GitHub, bot: Bot) -> None:
    sent = {"deployment_id": "d-1", "stage": "deploy", "ticket": "guess"}
    github.hand_sent_event(sent)
    assert github.settle()
    github.hand_sent_event(sent | {"ticket": "ticket", "claim_url": bot.url})  # S1: a judge of the sender's choice
    assert github.settle()
    assert [run.claim_status for run in github.runs] == [403, None]
    assert (github.runs[0].conclusion, github.runs[0].actor, github.calls) == ("failure", "kim", [])


def test_scripts_in_a_list_are_used_in_turn(github: GitHub, send: Send) -> None:
    github.script["build"] = [Script(outcome="failure", appear_seconds=0, seconds=0), NOW]
    for _ in range(3):
        send()
        assert github.settle()
    assert [run.conclusion for run in github.runs] == ["failure", "success", "success"]
    assert [run.number for run in github.runs] == [1, 2, 3]


def test_close_ends_everything_at_once(github: GitHub, bot: Bot, send: Send) -> None:
    github.script["build"] = [
        Script(appear_seconds=3600),
        Script(appear_seconds=0, queued_seconds=3600),
        Script(appear_seconds=0, seconds=3600),
    ]
    for _ in range(3):
        send()
    until(lambda: bot.claims)
    started = time.monotonic()
    github.close()
    assert time.monotonic() - started < 20
    assert bot.finishes == []
    assert [run.conclusion for run in github.runs] == [None, None]
