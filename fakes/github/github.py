"""The fake itself: its state, what tests and scenarios may do to it, and the WSGI app to mount."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from fakes.clock import Clock
from fakes.github.app import create_app
from fakes.github.apps import Apps
from fakes.github.callback import Bot
from fakes.github.edits import Edits
from fakes.github.errors import ApiError
from fakes.github.faults import Fault
from fakes.github.gate import Gate
from fakes.github.grants import EVERYTHING, READ_ONLY, Grant
from fakes.github.hook import Webhook, completed
from fakes.github.limits import RateLimit, SecondaryLimits
from fakes.github.listening import Event, Workflow, listening
from fakes.github.model import Run
from fakes.github.oidc import PLACE, Oidc, called_workflow
from fakes.github.pipeline import Deployer, Pipeline
from fakes.github.repository import Repository
from fakes.github.runs import Runs
from fakes.github.script import Script, default_scripts
from fakes.github.seed import checkout_api
from fakes.github.views import Urls


class Call(NamedTuple):
    """One request that arrived; status 0 when the connection was dropped before anything was done."""

    method: str
    path: str
    status: int


class GitHub(Edits):
    """GitHub for one machine. Mount `mount` (or `app`, the same) under any base address.

    script: what a stage does; `script["build"] = Script(...)`, or a list of scripts used one after another; a
        repository's own is `script["owner/name build"]`.
    deployers: what each target's pipeline changes, by the target's name; that of another target changes nothing.
    faults: rules for failing requests, first match wins (`Fault`).
    calls: every request as (method, path, status), oldest first.
    tokens / read_only_tokens: accepted tokens; a read-only one gets 403 for writes. grant: what `tokens` may do.
    apps: GitHub Apps, their installations and the tokens of those.
    actions_enabled: False makes a dispatch 204 without any run, as when Actions is switched off.
    oidc: the issuer of jobs' tokens. chatops_url / chatops_audience: what every workflow here says about the bot, its
        address and the audience of the tokens that it wants.
    rate_limit / secondary_limits: the hour's requests, and the minute's points, which only count until `enforced`.
    webhook: of every repository here; none where nobody has set one up.
    down: True answers 503 to everything. date_offset: seconds that the Date of every answer is ahead.
    """

    def __init__(
        self,
        clock: Clock,
        repositories: Iterable[Repository] | None = None,
        web_url: str = "https://github.com",
    ) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        chosen = [checkout_api(clock.now())] if repositories is None else list(repositories)
        self.repositories = {repository.full_name: repository for repository in chosen}
        self.script: dict[str, Script | list[Script]] = default_scripts()
        self.faults: list[Fault] = []
        self.calls: list[Call] = []
        self.tokens: set[str] = {"ghp_local"}
        self.read_only_tokens: set[str] = set()
        self.grant = Grant(EVERYTHING, scopes=frozenset({"repo", "workflow"}))
        self.apps = Apps(clock)
        self.oidc = Oidc(f"{web_url.rstrip('/')}{PLACE}")
        self.chatops_url = self.chatops_audience = ""
        self.webhook: Webhook | None = None
        self.actions_enabled = True
        self.down = False
        self.date_offset = 0.0
        self.rate_limit, self.secondary_limits = RateLimit(), SecondaryLimits()
        self.deployers: dict[str, Deployer] = {}
        self._registry = Runs()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._web_url = web_url.rstrip("/")
        flask = create_app(self)
        flask.config["WEB_URL"] = self._web_url
        self.mount = self.app = Gate(self, flask.wsgi_app)

    # -- what is there -------------------------------------------------------------------------------------

    @property
    def runs(self) -> list[Run]:
        """All runs, oldest first (a copy of the list; the runs are live)."""
        with self.lock:
            return list(self._registry.all)

    def repository(self, owner: str, name: str) -> Repository:
        """A repository by its address, in any case; ApiError 404 where the token may not even see it."""
        wanted = f"{owner}/{name}".lower()
        for full_name, repository in self.repositories.items():
            if full_name.lower() == wanted and not repository.hidden:
                return repository
        raise ApiError(404)

    def find_run(self, repository: Repository, run_id: int) -> Run | None:
        """A run of a repository by its id."""
        with self.lock:
            return self._registry.find(repository.full_name, run_id)

    def grant_of(self, token: str) -> Grant | None:
        """What a token may do; None for one that nobody knows."""
        if token in self.tokens:
            return self.grant
        return Grant(READ_ONLY) if token in self.read_only_tokens else self.apps.grant(token)

    def id_token(self, run: Run, audience: str) -> str:
        """The token of a job of this run that asks for one."""
        owner, _, name = run.repository.partition("/")
        found = self.repository(owner, name)
        return self.oidc.signed(self.oidc.claims(found, run, audience, called_workflow(found, run, run.calls)))

    def record(self, method: str, path: str, status: int) -> None:
        """Note one request."""
        with self.lock:
            self.calls.append(Call(method, path, status))

    # -- runs ----------------------------------------------------------------------------------------------

    def trigger(self, repository: Repository, event: Event) -> None:
        """What an accepted repository_dispatch sets off: a run of each workflow that listens, perhaps later."""
        if not (self.actions_enabled and repository.actions_enabled):
            return
        workflows = listening(repository, event.type)
        script = self._script_for(repository.full_name, str(event.payload.get("stage") or "")) if workflows else None
        if script is not None and not script.never_appears:
            for workflow in workflows:
                known = workflow.claims or script.claims is not None
                self._appear(repository, workflow, event, script if known else replace(script, claims=False))

    def _appear(self, repository: Repository, workflow: Workflow, event: Event, script: Script) -> None:
        def later() -> None:
            if not self.clock.wait(self._closing, script.appear_seconds):
                self._carry_out(begin())

        def begin() -> Run:
            with self.lock:
                return self._registry.dispatched(repository, workflow, event, script, self.clock.now())

        if script.appear_seconds > 0:
            self._start(later)
        else:
            run = begin()
            self._start(lambda: self._carry_out(run))

    def hand_sent_event(self, payload: Mapping[str, object], event_type: str = "dev_deploy") -> None:
        """Somebody with write access sends the event by hand; no API call is counted."""
        self.trigger(self.default_repository, Event(event_type, payload, actor="kim"))

    def add_foreign_runs(
        self,
        count: int,
        *,
        event: str = "repository_dispatch",
        title: str = "d-0therdep{number:05d} build",
        status: str = "completed",
        conclusion: str | None = "success",
        created: float | None = None,
        same_workflow: bool = True,
    ) -> list[Run]:
        """Runs that are not ours, newer than all before; `{number}` in the title counts them.

        `created` (epoch seconds, default now) is the same for all of them.
        """
        with self.lock:
            return [
                self._registry.foreign(
                    self.default_repository,
                    title.format(number=number),
                    event,
                    self.clock.now() if created is None else created,
                    status=status,
                    conclusion=conclusion,
                    ours=same_workflow,
                )
                for number in range(1, count + 1)
            ]

    def cancel(self, run_id: int) -> None:
        """Ask a run to stop; it concludes `cancelled` after its last step. ApiError 404, 409 once over."""
        with self.lock:
            run = self._any_run(run_id)
            if run.status == "completed":
                raise ApiError(409, "Cannot cancel a workflow run that is completed.")
            run.cancel_requested = True
            if run.script is None:
                run.status, run.conclusion, run.updated = "completed", "cancelled", self.clock.now()
            elif not run.script.ignores_cancel:
                run.wake.set()

    def force_cancel(self, run_id: int) -> None:
        """End a run where it is. ApiError 404, 409 once over."""
        self.cancel(run_id)
        with self.lock:
            run = self._any_run(run_id)
            run.forced.set()
            run.wake.set()

    def rerun(self, run_id: int, script: Script | None = None) -> Run:
        """Run all jobs once more under the same id, as the next attempt. ApiError 404, 403 while it runs."""
        with self.lock:
            run = self._any_run(run_id)
            if run.status != "completed":
                raise ApiError(403, "This workflow is already running")
            run.past[run.attempt] = replace(run)
            run.attempt += 1
            run.cancel_requested = False
            run.wake, run.forced = threading.Event(), threading.Event()
            run.script = script or run.script or Script(claims=False)
            self._registry.new_attempt(run, self.clock.now())
        self._start(lambda: self._carry_out(run))
        return run

    # -- threads -------------------------------------------------------------------------------------------

    def settle(self, timeout: float = 5) -> bool:
        """Wait up to `timeout` real seconds until every run that was started has ended; False if not."""
        deadline = time.monotonic() + timeout
        for thread in list(self._threads):
            thread.join(max(deadline - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def close(self, timeout: float = 2) -> None:
        """End every run where it stands. Safe to call twice."""
        self._closing.set()
        with self.lock:
            for run in self._registry.all:
                run.wake.set()
                run.forced.set()
        self.settle(timeout)

    def _any_run(self, run_id: int) -> Run:
        for run in self._registry.all:
            if run.id == run_id:
                return run
        raise ApiError(404)

    def _script_for(self, repository: str, stage: str) -> Script:
        with self.lock:
            chosen = self.script.get(f"{repository} {stage}") or self.script.get(stage) or Script()
            if isinstance(chosen, Script):
                return chosen
            # The last script of a list stays.
            return chosen.pop(0) if len(chosen) > 1 else chosen[0]

    def _carry_out(self, run: Run) -> None:
        script = run.script or Script()
        deployer = self.deployers.get(str(run.payload.get("target") or ""))
        bot = Bot(self.chatops_url, lambda: self.id_token(run, self.chatops_audience))
        Pipeline(run, script, self.clock, self.lock, self._closing, bot, deployer).carry_out()
        if self.webhook and run.status == "completed":
            with self.lock:
                told = completed(self.repositories[run.repository], run, Urls("https://api.github.com", self._web_url))
            self.webhook.deliver(told)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="github-run", daemon=True)
        with self.lock:
            self._threads = [one for one in self._threads if one.is_alive()]
            self._threads.append(thread)
            thread.start()
