"""What one look at a stage knows, and the facts that it may come to; `poll` looks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from chatops import clock
from chatops.domain.reason import Reason
from chatops.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.store.table import Item
from chatops.targets import LOOKS, Target, Timing

_KEPT = ("run_id", "run_number", "run_url", "run_state", "job", "step", "conclusion", "etag")


@dataclass(frozen=True)
class Look:
    """What is known about the stage at this look. `late`: over its own limit. `stop`: nobody wants it any more.

    Times are epoch seconds, 0 where there is none. `before` is the fact of the look before, if there was one.
    """

    stage: str
    row: Item
    target: Target
    now: float
    cancelled_at: float
    refused: str
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def began(self) -> float:
        return float(self.row.get("dispatched_at") or self.row["created_at"])

    @property
    def limit(self) -> int:
        timing = self.target.timing
        return {"build": timing.build, "deploy": timing.deploy, "rollback": timing.restore}[self.stage]

    @property
    def late(self) -> bool:
        return self.now - self.began >= self.limit

    @property
    def cancelled(self) -> bool:
        return bool(self.cancelled_at)

    @property
    def stop(self) -> bool:
        return self.cancelled or bool(self.refused) or self.late

    @property
    def unclaimed(self) -> bool:
        return self.row["state"] in ("ready", "revoked")

    @property
    def asked_at(self) -> float:
        """When GitHub was first asked to cancel the run."""
        return float(self.row.get("cancel_asked_at") or 0)

    @property
    def paused(self) -> float:
        """Seconds left of a pause that GitHub has asked for."""
        return max(float(self.before.get("pause_until") or 0) - self.now, 0)

    @property
    def deadline(self) -> float:
        """When waiting for GitHub's word ends: at the stage's limit, or when a cancel has had its time."""
        if not self.stop:
            return self.began + self.limit
        unwanted = self.cancelled_at or (self.began + self.limit if self.late else self.began)
        return max(unwanted, self.asked_at) + self.target.timing.cancel

    @property
    def trouble(self) -> dict[str, Any]:
        """Why the look before could not see what GitHub knows, if it could not."""
        return dict(self.before.get("trouble") or {})

    @property
    def known(self) -> dict[str, Any]:
        """What the look before knew of the run."""
        return {k: self.before[k] for k in _KEPT if k in self.before}


def pace(look: Look) -> float:
    """Adaptive: a tenth of what has passed, between the target's bounds; the finish wakes us anyway."""
    return pace_after(look.now - look.began, look.target.timing, look.limit)


def pace_after(seconds: float, timing: Timing, limit: float = 0) -> float:
    """The wait after a look, so many seconds after the stage began that may take `limit` seconds."""
    return min(max(seconds / 10, timing.poll_min), timing.widest(limit))


def widest(look: Look) -> float:
    """The longest pause between two looks at this stage."""
    return look.target.timing.widest(look.limit)


def finishing(look: Look) -> float:
    """The pace once the run has reported: its end is expected at any moment, and then less and less."""
    since = look.now - float(look.row.get("finished_at") or look.now)
    return min(max(since / 10, 1), widest(look))


def ended(state: str, *, why: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    """The stage has come to its end."""
    return {"state": state, "done": True, "wait_seconds": 1, "why": why or {}, **facts}


def stopping(look: Look) -> float:
    """The pace until a run that nobody wants any more has ended."""
    timing = look.target.timing
    return max(timing.poll_min, timing.cancel / LOOKS)


def waiting(state: str, seconds: float, trouble: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    """It has not; look again in so many seconds. `trouble`: why this look could not see more."""
    known = {"trouble": trouble} if trouble else {}
    return {"state": state, "done": False, "wait_seconds": max(math.ceil(seconds), 1), **known, **facts}


def obeying(fact: dict[str, Any], look: Look) -> dict[str, Any]:
    """The fact with its wait no shorter than the pause that GitHub asked for, and that pause remembered: a finish may
    wake us before. Nobody sleeps past the deadline all the same."""
    until = max(float(fact.get("pause_until") or 0), look.now + look.paused)
    if fact["done"] or until <= look.now:
        return fact
    seconds = max(fact["wait_seconds"], math.ceil(until - look.now))
    if look.deadline > look.now:
        seconds = min(seconds, math.ceil(look.deadline - look.now))
    return {**fact, "pause_until": until, "wait_seconds": seconds}


def trouble_of(error: GitHubRefused | GitHubUnavailable | GitHubRateLimited, look: Look) -> dict[str, Any]:
    """What GitHub said instead of an answer, as a reason that people can read."""
    if isinstance(error, GitHubRefused):
        return error.reason.as_json()
    if isinstance(error, GitHubRateLimited):
        return paused_until(look.now + error.wait_seconds, look)
    return Reason("why_github_down", said=error.reason, seconds=look.limit).as_json()


def paused_until(until: float, look: Look) -> dict[str, Any]:
    """GitHub's rate limit as the reason why a stage did not end in time; `until` in epoch seconds."""
    return {"key": "why_github_paused", "values": {"until": clock.iso(until), "seconds": look.limit}}


def undecided(look: Look, seconds: float, trouble: dict[str, Any] | None = None) -> dict[str, Any]:
    """GitHub does not say (`trouble`: why not), and is asked again in `seconds`, but not faster than usual. Past the
    deadline we give up on the answer, not on the run: the lock stays for `sweep`."""
    if look.stop and look.now >= look.deadline:
        return give_up(look, look.known, trouble)
    state = look.before.get("state") if look.before.get("state") in ("queued", "running", "finishing") else "running"
    return waiting(str(state), max(seconds, pace(look)), claimed=not look.unclaimed, trouble=trouble, **look.known)


def give_up(look: Look, known: dict[str, Any], trouble: dict[str, Any] | None = None) -> dict[str, Any]:
    """Nobody knows whether the run has ended."""
    state = "cancelled" if look.cancelled else "timed_out"
    late = {"key": "why_timed_out", "values": {"seconds": look.limit}}
    # whose cancel was asked for was seen after its limit: it is late whatever GitHub does not say now
    why = late if look.asked_at else trouble or late
    facts = {**known, "claimed": not look.unclaimed, "unconfirmed": True}
    return ended(state, why={} if look.cancelled else why, **facts)


def absent(look: Look, facts: dict[str, Any]) -> dict[str, Any]:
    """No run has claimed the ticket in time. "It never appeared" is said only where GitHub was asked and said so."""
    until = 0.0 if look.row.get("dispatched_at") else float(look.row.get("not_before") or 0)
    if why := paused_until(until, look) if until else look.trouble:
        return ended("timed_out", why=why, **facts)
    if look.late and look.known.get("run_id"):
        return ended(
            "timed_out", why={"key": "why_timed_out", "values": {"seconds": look.limit}}, **facts, **look.known
        )
    values = {"seconds": look.target.timing.appear, "event_type": look.target.event_type}
    return ended("never_appeared", why={"key": "why_never_appeared", "values": values}, **facts)
