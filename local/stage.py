"""`make run`'s stage: one session after another at the same address, as the page's Reset and scenarios ask for it.

A reset builds a new session: no message, execution, row, lock, run or service of the one before is left, and nothing
needs to know how to forget.
"""

from __future__ import annotations

import logging
import os
import queue
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chatops.domain.target import Target
from local import scenarios, socket_mode, targets_text
from local.page.server import Page
from local.scenario import NoTarget, Scenario
from local.session import Session
from local.web import beginning

LOG = logging.getLogger(__name__)
SWEEP_SECONDS = 10
PACE, PATIENCE = 1.5, 300.0
"""A scenario on the page is for watching: seconds before each thing a person does, and what may take how long."""
STOP = object()


@dataclass
class Playing:
    """A scenario as the page shows it. `state`: playing, played (it ended as it should) or stopped; `note` says why."""

    scenario: Scenario
    state: str = "playing"
    note: str = ""

    def told(self) -> dict[str, Any]:
        return {"name": self.scenario.name, "about": self.scenario.about, "state": self.state, "note": self.note}


@dataclass
class Stage:
    """Builds sessions in the thread that calls `run`. `settings` are Session's; `each` is called with every session
    and what to close with it; `targets` are those of the file that was given; `environment` is where Socket Mode's
    tokens are looked for."""

    settings: dict[str, Any]
    targets: Mapping[str, Target]
    each: Callable[[Session], None] = lambda _: None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    speed: float = 1.0

    def __post_init__(self) -> None:
        self._asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._id = ""
        self._session: Session | None = None
        self._page: Page | None = None
        self._playing: Playing | None = None

    def run(self) -> None:
        """One session after another, until `stop`. Raises what Session raises."""
        wanted: Any = ""
        while wanted is not STOP:
            with ExitStack() as stack:
                self._open(stack, wanted)
                wanted = self._asked.get()

    def stop(self) -> None:
        """End `run`. Also for signal handlers."""
        self._asked.put(STOP)

    def restart(self, scenario: str = "") -> None:
        """Everything anew; then play the scenario of this name, if any. Returns at once."""
        self._asked.put(scenario)

    def set_speed(self, speed: float) -> None:
        """From now on, and in the sessions after this one."""
        self.speed = speed
        if self._session is not None:
            self._session.set_speed(speed)
        self._publish()

    def _missing(self, scenario: Scenario) -> str:
        try:
            scenario.target(self.targets)
        except NoTarget as error:
            return str(error)
        return ""

    def told(self) -> dict[str, Any]:
        """What the page shows. `session` differs between one session and the next. `missing` says which target
        a scenario would need that there is none of."""
        listed = [
            {"name": one.name, "about": one.about, "missing": self._missing(one)} for one in scenarios.ALL.values()
        ]
        playing = self._playing.told() if self._playing else None
        return {"session": self._id, "speed": self.speed, "scenario": playing, "scenarios": listed}

    def _open(self, stack: ExitStack, name: str) -> None:
        scenario = scenarios.ALL.get(name)
        settings = self.settings
        if scenario:
            settings = {**settings, "targets": targets_text.text(scenario.fitted(self.targets))}
        made = Session(stack, sweep_seconds=SWEEP_SECONDS, page=beginning, **settings)
        made.set_speed(self.speed)
        stack.enter_context(socket_mode.connected(made.user.send, self.environment))
        self.settings["port"] = int(made.url.rpartition(":")[2])  # the next session is found where this one was
        self._id, self._session = secrets.token_hex(4), made
        self._playing = Playing(scenario) if scenario else None
        self._page = Page(made, stage=self)
        stack.callback(self._page.close)
        made.mount_page(self._page.app)
        self.each(made)
        if self._playing:
            threading.Thread(target=self._play, args=(self._playing, made), name="scenario", daemon=True).start()

    def _play(self, playing: Playing, made: Session) -> None:
        driver = playing.scenario.driver(made, pace=PACE, patience=PATIENCE)
        try:
            playing.scenario.play(driver)
            end = driver.end()
            playing.state = "played" if end == playing.scenario.ends else "stopped"
            playing.note = end
        except (BotoCoreError, ClientError, OSError, LookupError, StopIteration) as error:
            # somebody took part, or everything began anew meanwhile
            LOG.info("the scenario was left: %r", error)
            playing.state, playing.note = "stopped", "it went another way"
        if playing is self._playing:
            self._publish()

    def _publish(self) -> None:
        if self._page is not None:
            self._page.feed.publish("stage", self.told())
