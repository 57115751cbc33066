"""The store against a model in plain dicts: locks, records, decisions, cancels, tickets, waits, messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from chatops.domain.deployment import Deployment as Deployed
from chatops.domain.question import Answer, Question
from chatops.domain.record import Outcome
from chatops.domain.run_token import ExpectedRun
from chatops.store import cancels, deployments, locks, outbox, questions, releases, stages, wakeups
from chatops.store.table import Conflict
from tests.faults.races.fakes import DANA, KIM, LEE, TARGET, Fake, arn
from tests.faults.races.stateful import explore, lengths
from tests.unit import stored

NAMES = st.sampled_from(["d-one", "d-two", "d-three"])
STAGES = st.sampled_from(["build", "deploy", "rollback"])
PEOPLE = st.sampled_from([LEE, KIM])
QUORUM = 2


@dataclass
class Stage:
    state: str = "ready"
    run: int = 0
    tried: bool = False


@dataclass
class Deployment:
    """What the store should know about one."""

    end: str = ""
    asked: bool = False
    votes: set[str] = field(default_factory=set)
    decision: str = ""
    cancelled: bool = False
    stages: dict[str, Stage] = field(default_factory=dict)
    woken: int = 0
    token: str = ""
    seen: int = 0
    owed: bool = False

    @property
    def open(self) -> bool:
        return not self.end and not self.cancelled

    @property
    def undelivered(self) -> str:
        """The wait that sweep must end: something was recorded since it began, and nobody has answered it."""
        return self.token if self.woken > self.seen else ""


def store(fake: Fake) -> type[RuleBasedStateMachine]:  # noqa: C901 - one rule for each thing that can happen
    class Store(RuleBasedStateMachine):
        begun = Bundle("begun")

        def __init__(self) -> None:
            super().__init__()
            fake.empty()
            self.known: dict[str, Deployment] = {}
            self.holder, self.ended, self.n = "", 0, 0

        def of(self, name: str) -> Deployment:
            return self.known[name]

        @initialize(target=begun)
        def first(self) -> Any:
            return self.begin("d-one")

        @rule(target=begun, name=NAMES)
        def begin(self, name: str) -> Any:
            fake.time.pass_by(1)
            plan = {"target": TARGET, "command": "deploy", "version": "v1", "requester": {"id": DANA}, "schema": 1}
            holder = locks.Holder(name, arn(name), "deploy", "v1", DANA, "now")
            try:
                stored.begin(fake.rows, name, arn(name), plan, locks.taking(TARGET, holder))
                begun = True
            except Conflict:
                begun = False
            assert begun == (name in self.known or self.holder in ("", name))
            if begun and name not in self.known:
                self.known[name], self.holder = Deployment(), name
                return name
            return multiple()

        @precondition(lambda self: self.holder)
        @rule(name=NAMES, over=NAMES)
        def take_over(self, name: str, over: str) -> None:
            new, old = (locks.Holder(n, arn(n), "rollback", "v1", DANA, "now") for n in (name, over))
            try:
                fake.rows.transact(locks.taking(TARGET, new, old))
                took = True
            except Conflict:
                took = False
            assert took == (self.holder in (name, over))
            self.holder = name if took else self.holder

        @rule(name=begun, success=st.booleans(), keep=st.booleans())
        def settle(self, name: str, success: bool, keep: bool) -> None:
            it, record = self.of(name), stored.record_of(fake.rows, name)
            end = "Deployed" if success else "Stopped"
            said = deployments.settle(
                fake.rows,
                record,
                Outcome(end),
                outbox.owing(Deployed(name)),
                unless_cancelled=success,
                keep_lock=keep,
            )
            assert said == ("settled" if it.end else "cancelled" if success and it.cancelled else "")
            if said == "":
                it.end, it.owed, self.ended = end, True, self.ended + 1
                self.holder = self.holder if keep or self.holder != name else ""

        @rule(name=NAMES)
        def free(self, name: str) -> None:
            assert locks.free(fake.rows, TARGET, name) == (self.holder == name)
            self.holder = "" if self.holder == name else self.holder

        @rule(name=begun)
        def ask(self, name: str) -> None:
            questions.ask(fake.rows, name, Question(fake.time.at, 2e9, (LEE, KIM), QUORUM))
            self.of(name).asked = True

        @rule(name=begun, user=PEOPLE)
        def vote(self, name: str, user: str) -> None:
            self.ask(name)
            it = self.of(name)
            if it.open and not it.decision:
                it.votes.add(user)
                it.decision = "approved" if len(it.votes) >= QUORUM else ""
                it.woken += 1
            assert (questions.record(fake.rows, name, Answer.APPROVED, user).decision or "") == it.decision

        @rule(name=begun, word=st.sampled_from(["rejected", "expired"]))
        def decide(self, name: str, word: str) -> None:
            self.ask(name)
            it = self.of(name)
            if it.open and not it.decision:
                it.decision, it.woken = word, it.woken + 1
            assert (questions.record(fake.rows, name, Answer(word), LEE).decision or "") == it.decision

        @rule(name=NAMES)
        def cancel(self, name: str) -> None:
            it = self.known.get(name, Deployment(end="never was"))
            wanted = "settled" if it.end else "already" if it.cancelled else None
            assert cancels.record(fake.rows, name, DANA) == wanted
            if not wanted:
                it.cancelled, it.woken = True, it.woken + 1

        @rule(name=begun, stage=STAGES)
        def prepare(self, name: str, stage: str) -> None:
            stages.prepare(fake.rows, name, stage, TARGET, 10**6)
            self.of(name).stages.setdefault(stage, Stage())

        @rule(name=begun, stage=STAGES)
        def try_to_dispatch(self, name: str, stage: str) -> None:
            self.prepare(name, stage)
            it, mine = self.of(name), self.of(name).stages[stage]
            may = mine.state == "ready" and self.holder == name and not it.end
            may = may and (stage == "rollback" or not it.cancelled)
            assert stages.trying(fake.rows, name, stage, TARGET, ExpectedRun()) == may
            mine.tried = mine.tried or may

        @rule(name=begun, stage=STAGES, run=st.sampled_from([1, 2]))
        def claim(self, name: str, stage: str, run: int) -> None:
            self.prepare(name, stage)
            it, mine = self.of(name), self.of(name).stages[stage]
            fresh = mine.state == "ready" and self.holder == name and not it.end
            fresh = fresh and (stage == "rollback" or not it.cancelled)
            again = mine.state == "claimed" and mine.run == run
            assert (stages.claim(fake.rows, name, stage, run) == "") == (fresh or again)
            if fresh:
                mine.state, mine.run = "claimed", run

        @rule(name=begun, stage=STAGES, run=st.sampled_from([1, 2]))
        def finish(self, name: str, stage: str, run: int) -> None:
            mine = self.of(name).stages.get(stage)
            may = mine is not None and mine.run == run and mine.state in ("claimed", "finished")
            assert (stages.finish(fake.rows, name, stage, run, "success", {}) == "recorded") == may
            if may and mine:
                mine.state = "finished"

        @rule(name=begun, stage=STAGES)
        def revoke(self, name: str, stage: str) -> None:
            mine = self.of(name).stages.get(stage)
            if mine and mine.state == "ready":
                mine.state = "revoked"
            row = stages.revoke(fake.rows, name, stage)
            assert (row.state if row else None) == (mine.state if mine else None)

        @rule(name=begun, meanwhile=st.integers(0, 2))
        def park(self, name: str, meanwhile: int) -> None:
            """A look, so many wake-ups, and only then the wait."""
            it, self.n, seen = self.of(name), self.n + 1, self.of(name).woken
            for _ in range(meanwhile):
                self.wake(name)
            assert wakeups.park(fake.rows, name, f"token-{self.n}", seen) == (not meanwhile)
            if not meanwhile:
                it.token, it.seen = f"token-{self.n}", seen

        @rule(name=begun)
        def wake(self, name: str) -> None:
            it = self.of(name)
            wakeups.wake(fake.rows, name)
            assert not it.token or fake.states.answered[-1] == it.token
            it.woken, it.token = it.woken + 1, ""

        @rule(name=begun)
        def nudge(self, name: str) -> None:
            """What whoever recorded a decision does next, or `sweep` where they died."""
            it = self.of(name)
            wakeups.nudge(fake.rows, name)
            assert not it.token or fake.states.answered[-1] == it.token
            it.token = ""

        @rule(name=NAMES)
        def deliver(self, name: str) -> None:
            outbox.delivered(fake.rows, name)
            if name in self.known:
                self.of(name).owed = False

        @invariant()
        def all_of_it_is_in_the_table(self) -> None:
            assert fake.holder() == self.holder
            assert fake.open() == sorted(name for name, it in self.known.items() if not it.end)
            owed = sorted(name for name, it in self.known.items() if it.owed)
            assert sorted(each.deployment.id for each in outbox.waiting(fake.rows)) == owed
            assert releases.ended(fake.rows, TARGET) == self.ended
            for name, it in self.known.items():
                assert fake.ended(name) == it.end
                asked = questions.get(fake.rows, name) or Question(0, 0)
                assert (asked.decision or "", set(asked.votes)) == (it.decision, it.votes)
                assert bool(cancels.get(fake.rows, name)) == it.cancelled
                assert wakeups.counter(fake.rows, name) == it.woken
                assert wakeups.undelivered(fake.rows, name) == it.undelivered

    return Store


@lengths
def test_the_store_is_what_a_simple_model_says(fake: Fake, examples: int) -> None:
    explore(store(fake), examples, steps=30)
