"""Waiting: faster than the definition says, where a test or a demo asks for it, and never beyond the
execution.
"""

from __future__ import annotations

import time
from typing import Any

from local.engine.patches.patcher import Patches, Settings

SLICE = 0.25
"""Seconds after which a waiting thread looks whether its execution has been stopped (it is usually woken)."""


def waits_scale(patches: Patches, settings: Settings) -> None:
    """Step Functions Local: WAIT_TIME_SCALE multiplies the length of Wait states (0.01: a second takes 10
    ms). https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-config-options.html

    moto: has no such scale, and waits of less than a second never end.
    """
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

    def wait(_: Any, env: Any, wait_seconds: float) -> None:
        pause(env, wait_seconds * settings.wait_time_scale)

    patches.replace(WaitFunction, "_wait_interval", wait)


def retries_scale(patches: Patches, settings: Settings) -> None:
    """The same scale for the intervals of Retry (Step Functions Local leaves these alone), and a stop ends
    them.

    moto: sleeps them out.
    """
    from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

    evaluate = retrier_decl.RetrierDecl._eval_body

    def eval_body(self: Any, env: Any) -> None:
        evaluate(_Waiting(self, env, settings.wait_time_scale), env)

    class Time:  # stands in for the module `time`: the interval is waited for by _Waiting
        sleep = staticmethod(lambda seconds: None)

    patches.replace(retrier_decl.RetrierDecl, "_eval_body", eval_body)
    patches.replace(retrier_decl, "time", Time)


class _Waiting:
    """A retrier whose last step before it tries again, the jitter, also waits."""

    def __init__(self, retrier: Any, env: Any, scale: float) -> None:
        self._retrier, self._env, self._scale = retrier, env, scale
        self.jitter_strategy = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._retrier, name)

    def eval(self, env: Any) -> None:
        self._retrier.jitter_strategy.eval(env=env)
        pause(env, env.stack[-1] * self._scale)


def pause(env: Any, seconds: float) -> None:
    """Wait, until the execution ends if it does."""
    deadline = time.monotonic() + seconds
    while env.is_running() and (left := deadline - time.monotonic()) > 0:
        env.program_state_event.wait(min(left, SLICE))
