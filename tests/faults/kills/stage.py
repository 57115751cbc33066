"""A world for many plays at once, each with a target, a repository, a service and a channel of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fakes.slack.directory import U_KIM, U_LEE
from local.events import scheduled
from local.scenarios import TIMING
from local.world import World
from tests.faults.kills.play import Play
from tests.faults.kills.points import Plan
from tests.faults.kills.watch import Watch
from tests.statemachine import permissions
from tests.statemachine.conftest import CANARIES

AT_ONCE = 6
SWEEP_SECONDS = 8.0
CALM = {**TIMING, "appear": 40, "cancel": 40, "take": 40, "approval": 7200, "reminder": 3600}
"""A machine that is busy with many plays is not to be taken for a GitHub that is late; and no reminder is to help a
wake-up that was lost."""
TIMINGS = {
    "usual": CALM,
    "hasty": {**CALM, "approval": 3, "promotion": 3, "reminder": 1},
    "late": {**CALM, "rollout": 2},
    "brisk": {**CALM, "appear": 8},
    "rare": {**CALM, "poll_min": 600, "poll_max": 600},
}


class Stage:
    """The world, its plays, and the part of EventBridge."""

    def __init__(self, world: World, plays: Sequence[Play]) -> None:
        self.world, self.watch, self.plays = world, Watch(world), plays
        for play in plays:
            play.stage = self
            play.set_up()
        self._sweeping = threading.RLock()

    def sweep(self, play: Play | None = None, stop: Callable[[], object] | None = None) -> None:
        """One event for `sweep`, and twice more where it fails: Lambda's retries of asynchronous calls.
        https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""
        with self._sweeping:
            if stop:
                stop()
            self.watch.swept_for = play.seen if play else None
            try:
                for _ in range(3):
                    if not self.world.runtime.invoke("sweep", scheduled()).error:
                        return
            finally:
                self.watch.swept_for = None

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """No sweep meanwhile but the play's own."""
        with self._sweeping:
            yield

    def stop(self, play: Play) -> None:
        arn = play.arn(play.seen.ids[0])
        self.sweep(play, lambda: self.world.sfn.stop_execution(executionArn=arn))

    def run(self) -> None:
        """All plays, some at once; sweep comes by now and then, and once more at the end."""
        over = threading.Event()

        def sweeps() -> None:
            while not over.wait(SWEEP_SECONDS):
                self.sweep()

        sweeper = threading.Thread(target=sweeps, name="sweeps", daemon=True)
        sweeper.start()
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(Play.run, self.plays))
        finally:
            over.set()
            sweeper.join()
        self.sweep()


def _targets(plans: Sequence[Play]) -> str:
    """Written so that it is read fast: each function's process does."""
    shared = [f"{name}: {{{', '.join(f'{k}: {v}' for k, v in timing.items())}}}" for name, timing in TIMINGS.items()]
    lines, known = ["targets:"], set[str]()
    for play in plans:
        scenario, timing = play.scenario, f"*{play.scenario.timing}"
        place = f"repository: {play.repository}, event_type: dev_deploy"
        if scenario.timing not in known:
            known.add(scenario.timing)
            body = next(one for one in shared if one.startswith(f"{scenario.timing}:")).partition(": ")[2]
            timing = f"&{scenario.timing} {body}"
        place += {
            "ecs": f", ecs: {{cluster: checkout, service: {play.target}}}",
            "codedeploy": f", codedeploy: {{application: {play.target}, group: live}}",
        }.get(scenario.kind, "")
        place += f", {scenario.target}" if scenario.target else ""
        claim = "" if scenario.claim else "claim: false, "
        approvers = f"approvers: [{U_LEE}, {U_KIM}], deploy_approval: {str(scenario.approval).lower()}"
        policy = f"policy: {{{approvers}, rollback_approval: false}}"
        lines.append(f"  {play.target}: {{{place}, {claim}{policy}, timing: {timing}}}")
    return "\n".join(lines) + "\n"


@contextmanager
def stage(plans: Sequence[Plan], *, recording: bool = False) -> Iterator[Stage]:
    """The stage with these plays on it, not begun yet. Every function is held to its policy."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in CANARIES.items():
            patch.setenv(name, value)
        denials = permissions.enforce(patch)
        logs = stack.enter_context(TemporaryDirectory(prefix="kills-"))
        plays = [Play(number, plan, recording=recording) for number, plan in enumerate(plans, 1)]
        world = World(
            stack,
            targets=_targets(plays),
            speed=50,
            wait_time_scale=0.02,
            log_dir=str(Path(logs)),
            max_warm=80,
            events=False,
        )
        yield Stage(world, plays)
        assert not world.slack.misread, f"Slack does not read these requests: {world.slack.misread[:3]}"
        assert not denials, f"template.yaml's policies allow too little: {denials[:3]}"
