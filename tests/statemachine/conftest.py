"""Sessions for the state machine tests: the real definition and handlers, on the embedded engine or that at ENGINE."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.driver import Driver
from local.scenario import Scenario
from local.session import Session
from tests import holes
from tests.statemachine import permissions

ENGINE = os.environ.get("ENGINE", "").strip()
LAMBDA_PORT = int(os.environ.get("LAMBDA_PORT", "9301")) if ENGINE else 0
LAMBDA_HOST = (os.environ.get("LAMBDA_HOST", "").strip() if ENGINE else "") or "127.0.0.1"
CANARIES = {
    "SLACK_SIGNING_SECRET": "canary-signing-5ecret",
    "SLACK_BOT_TOKEN": "xoxb-canary-b0t-t0ken",
    "GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_canaryG1tHubT0ken",
    "GITHUB_WEBHOOK_SECRET": "canary-w3bhook-5ecret",
}

Build = Callable[..., Driver]


def scenario(
    name: str = "test",
    *,
    approval: bool = False,
    ecs: bool = True,
    codedeploy: bool = False,
    strategy: str = "",
    **timing: int,
) -> Scenario:
    """A target like the demo's, with other timing where the test wants it; with a strategy, its rollouts pause."""
    more = {"approval": approval, "ecs": ecs, "codedeploy": codedeploy}
    return Scenario(name, "", "", lambda _: None, timing, strategy=strategy, **more)


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Build]:
    """`build(scenario(…))`: a session with that target, fast, with secrets that must turn up nowhere."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    denials = permissions.enforce(monkeypatch)
    sessions: list[Session] = []
    with ExitStack() as stack:

        def made(
            wanted: Scenario | None = None, *, targets: str = "", sweep_seconds: float = 1, **more: object
        ) -> Driver:
            session = Session(
                stack,
                targets=targets or (wanted or scenario()).targets(),
                speed=50,
                wait_time_scale=0.02,
                engine=ENGINE,
                lambda_port=LAMBDA_PORT,
                lambda_host=LAMBDA_HOST,
                sweep_seconds=sweep_seconds,
                log_dir=str(tmp_path / "logs"),
                **more,  # type: ignore[arg-type]
            )
            sessions.append(session)
            return Driver(session)

        yield made
    torn = [hole for session in sessions for hole in holes.in_world(session)]
    assert torn == [], "sentences with holes"
    assert not denials, "template.yaml's policies allow too little"
