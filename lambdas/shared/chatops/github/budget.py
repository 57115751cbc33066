"""GitHub's rate limit as all deployments share it: read before the first request, written when it has changed a lot.

It never stops a deployment: where the row cannot be read or written, GitHub itself says when to wait.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property

from chatops import clock
from chatops.domain import github_budget
from chatops.domain.errors import GitHubPostponed, GitHubRateLimited
from chatops.domain.github_budget import Budget, Need
from chatops.github import replies
from chatops.observability import logger
from chatops.store import budgets
from chatops.store.table import Table


def drawn(seconds: float) -> float:
    """Any number of seconds up to that many."""
    return random.uniform(0, seconds)  # noqa: S311 - spreads requests, guards nothing


class SharedBudget:
    """The budget of one token or installation, for requests of one need. `name()`: which. Reads the row once, so it
    belongs to one invocation."""

    def __init__(self, rows: Table, name: Callable[[], str], need: Need) -> None:
        self._rows, self._named, self._need = rows, name, need
        self._known: Budget | None = None

    @cached_property
    def _name(self) -> str:
        return self._named()

    def _known_now(self) -> Budget:
        if self._known is None:
            self._known = self._read()
        return self._known

    def _read(self) -> Budget:
        name = self._name
        try:
            return budgets.get(self._rows, name)
        except Exception as trouble:  # noqa: BLE001 - the table's trouble, or a row that nobody can read
            logger.warning("github's rate limit cannot be read", error=type(trouble).__name__)
            return Budget()

    def admit(self) -> None:
        """Raises GitHubRateLimited during a pause that GitHub has asked somebody for, GitHubPostponed where what is
        left is kept for others."""
        now, known = clock.now(), self._known_now()
        if seconds := known.pause(now):
            raise GitHubRateLimited(seconds, drawn(self._need.spread))
        if seconds := known.postponed(self._need, now):
            raise GitHubPostponed(seconds, drawn(self._need.spread))

    def give_way(self, share: float | None = None) -> None:
        """Raises GitHubRateLimited where a pause has just ended and this need's requests are spread over the time
        after it. `share`: of that time, after which one may go; without it a part of what is left is drawn."""
        left = self._known_now().recovering(self._need, clock.now())
        if share is None and left:
            raise GitHubRateLimited(0, drawn(left))
        if share is not None and (seconds := left - (1 - share) * self._need.spread) > 0:
            raise GitHubRateLimited(seconds)

    def note(self, status: int, headers: Mapping[str, str], said: str) -> None:
        """An answer has come. Raises GitHubRateLimited where it asks to wait."""
        now, known = clock.now(), self._known_now()
        seconds = replies.pause(status, headers, now, said, known.unasked(now))
        seen = github_budget.seen(headers, now)
        try:
            if seconds:
                budgets.pause(self._rows, self._name, seconds, now)
            elif seen and known.outdated(seen):
                self._known = replace(seen, paused_until=known.paused_until, paused_for=known.paused_for)
                budgets.left(self._rows, self._name, seen, now)
        except Exception as trouble:  # noqa: BLE001 - likewise
            logger.warning("github's rate limit was not written", error=type(trouble).__name__)
        if seconds:
            raise GitHubRateLimited(seconds, drawn(self._need.spread))
