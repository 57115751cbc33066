"""What is live, what was rolled back from, and where the next rollback goes: after any history, as a list would say."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chatops.domain import release
from chatops.store import releases
from tests.faults.races.fakes import Fake
from tests.faults.races.stateful import explore, lengths

VERSIONS = st.sampled_from(["v1", "v2", "v3", "v4"])


class Model:
    """`runs`: what was live, newest last. `bad`: rolled back from, and not deployed well since."""

    def __init__(self) -> None:
        self.runs, self.bad = list[str](), set[str]()

    @property
    def live(self) -> str:
        return self.runs[-1] if self.runs else ""

    def deployed(self, version: str) -> None:
        self.runs.append(version)
        self.bad.discard(version)

    def failed(self, version: str) -> None:
        if version != self.live:
            self.bad.add(version)

    def way_back(self) -> str:
        return next((v for v in reversed(self.runs) if v != self.live and v not in self.bad), "")

    def refused(self, wanted: str) -> str:
        """Why nobody can go back there; empty where they can."""
        if not wanted:
            return "no_way_back"
        if wanted not in self.runs:
            return "never_ran"
        return "already_live" if wanted == self.live else "not_back" if wanted in self.bad else ""

    def rolled_back(self, version: str) -> None:
        self.bad.add(self.live)
        self.runs.append(version)


def history(fake: Fake) -> type[RuleBasedStateMachine]:
    class History(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            fake.empty()
            self.model, self.n = Model(), 0

        def begin(self, command: str, version: str) -> tuple[str, dict[str, Any]]:
            self.n += 1
            fake.time.pass_by(1)
            name = f"d-{self.n}"
            return name, fake.plan(name, command, version)

        def end(self, name: str, ended: dict[str, Any], wanted: str) -> None:
            assert ended["end"] == wanted
            fake.end(name, "SUCCEEDED")
            assert fake.holder() == ""

        @rule(version=VERSIONS)
        def deploy(self, version: str) -> None:
            name, plan = self.begin("deploy", version)
            assert (plan["live"].get("version", ""), plan["previous"].get("version", "")) == (self.model.live,) * 2
            self.end(name, fake.succeed(name), "Deployed")
            self.model.deployed(version)

        @precondition(lambda self: self.model.runs)
        @rule(version=VERSIONS)
        def deploy_that_breaks(self, version: str) -> None:
            name, plan = self.begin("deploy", version)
            assert plan["previous"]["version"] == self.model.live, "back to what was live"
            self.end(name, fake.fail(name), "Rolled Back")
            self.model.failed(version)

        @rule(named=st.one_of(st.just(""), VERSIONS))
        def roll_back(self, named: str) -> None:
            name, plan = self.begin("rollback", named)
            wanted = named or self.model.way_back()
            if key := self.model.refused(wanted):
                assert plan["refusal"]["key"] == key
                return
            assert plan["previous"]["version"] == wanted
            fake.take(name)
            self.end(name, fake.succeed(name), "Restored")
            self.model.rolled_back(wanted)

        @invariant()
        def the_ledger_says_so(self) -> None:
            ledger = releases.newest_first(fake.rows, "dev")
            assert [release.version for release in reversed(ledger)] == self.model.runs
            left = releases.left(fake.rows, "dev")
            assert {str(row["version"]) for row in fake.rows.query("TARGET#dev", "LEFT#")} == self.model.bad
            found = release.way_back(ledger, ledger[0] if ledger else None, left)
            assert (found.version if found else "") == self.model.way_back()

    return History


@lengths
def test_any_history_of_deployments_and_rollbacks(fake: Fake, examples: int) -> None:
    explore(history(fake), examples, steps=15)


def test_back_and_back_again_and_after_a_failure(fake: Fake) -> None:
    """The promises by name: v3's failure leads to v2; v1, v2, v3, back to v2, back again: v1, never v3."""
    for n, version in enumerate(("v1", "v2"), start=1):
        fake.deploy(f"d-{n}", version)
    fake.time.pass_by(1)
    assert fake.plan("d-3", version="v3")["previous"]["version"] == "v2"
    fake.time.pass_by(1)
    assert fake.fail("d-3")["end"] == "Rolled Back"
    fake.end("d-3")
    fake.deploy("d-4", "v3")
    live = []
    for name in ("d-5", "d-6"):
        fake.time.pass_by(1)
        fake.plan(name, "rollback", "")
        fake.take(name)
        fake.succeed(name)
        live.append(releases.newest_first(fake.rows, "dev")[0].version)
    assert live == ["v2", "v1"]
    assert fake.plan("d-7", "rollback", "")["refusal"]["key"] == "no_way_back"
