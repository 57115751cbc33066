"""`lock` and `unlock`: who may, what holds then, for how long, and who is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from chatops.domain.errors import Refusal
from chatops.domain.freeze import Freeze, Lock, Weekly, holding
from chatops.domain.record import PastLock
from chatops.domain.target import Policy, Target
from chatops.edge import commands, locking
from chatops.messages import history, reports
from chatops.settings import config
from chatops.slack import membership, people
from chatops.steps import ecs
from chatops.store import freezes
from chatops.store.table import Table
from fakes.slack.blocks import complaints
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.steps import call
from tests.unit.views import status_of

DANA, LEE, KIM, OUT, GROUPED = "U0DANA001", "U0LEE0001", "U0KIM0001", "U0OUT0001", "U0MIN0001"
RULES = Policy(approvers=(LEE,), requesters=(DANA, KIM), requester_groups=("S0DEVS001",))
PROD = Target("prod", "acme/shop", "prod_deploy", policy=RULES)
NOW = 1_760_000_000.0
MIGRATION = Lock(DANA, "migration", NOW)


class Channel:
    """People who type commands about `prod`, and what everybody or only they are told."""

    def __init__(self, rows: Table, patch: pytest.MonkeyPatch) -> None:
        self.rows, self.patch, self.count = rows, patch, 0
        self.use(PROD)
        patch.setattr(people, "group", lambda _group, **_: frozenset({GROUPED}))

    def use(self, target: Target) -> None:
        for module in (commands, locking, ecs):
            self.patch.setattr(module, "targets", lambda: {target.name: target})

    def type(self, text: str, user: str = DANA, **more: str) -> tuple[str, str]:
        """`in_channel` or `ephemeral`, and the text."""
        self.count += 1
        form = {"team_id": "T0ACME001", "trigger_id": f"1.2.{self.count}", "user_id": user, **more}
        answer = commands.answer({"command": "/platform-deploy", "text": text, **form})
        assert answer["statusCode"] == 200
        body = json.loads(answer["body"])
        return body["response_type"], body["text"]

    def refused(self, text: str, user: str = DANA, **more: str) -> str:
        before = freezes.lock_of(self.rows, "prod")
        kind, said = self.type(text, user, **more)
        assert kind == "ephemeral"
        assert said.startswith("⚠️")
        assert freezes.lock_of(self.rows, "prod") == before, "nothing was changed"
        return said

    def holding(self) -> Freeze | None:
        return freezes.holding(self.rows, PROD)


@pytest.fixture
def channel(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Channel:
    return Channel(rows, environment)


# -- who may -----------------------------------------------------------------------------------------------------------


def test_somebody_of_another_workspace_locks_and_unlocks_nothing(
    channel: Channel, environment: pytest.MonkeyPatch
) -> None:
    stored.lock(channel.rows, "prod", MIGRATION)
    environment.setattr(membership, "standing", lambda *_, **__: "stranger")
    for text in ("lock prod mine", "unlock prod"):
        assert "members of the app's own workspace" in channel.refused(text)


@pytest.mark.parametrize("user", [DANA, KIM, LEE, GROUPED])
def test_whoever_may_deploy_and_the_approvers_may_lock(channel: Channel, user: str) -> None:
    assert channel.type("lock prod migration", user)[0] == "in_channel"
    assert channel.holding() == Freeze(None, "migration", user)


def test_others_may_not(channel: Channel) -> None:
    assert "Only people who may deploy to *prod*, and its approvers" in channel.refused("lock prod mine", OUT)


@pytest.mark.parametrize("text", ["unlock prod", "lock prod for 1m short", "lock prod mine"])
@pytest.mark.parametrize("user", [KIM, GROUPED])
def test_somebody_elses_lock_is_neither_ended_nor_replaced(channel: Channel, user: str, text: str) -> None:
    """A lock of a minute in its place would end it as well."""
    stored.lock(channel.rows, "prod", MIGRATION)
    assert f"Only <@{DANA}> and the approvers of *prod* can unlock it" in channel.refused(text, user)
    assert channel.holding() == Freeze(None, "migration", DANA)


@pytest.mark.parametrize("user", [DANA, LEE])
def test_whoever_has_locked_it_and_the_approvers_unlock_it(channel: Channel, user: str) -> None:
    stored.lock(channel.rows, "prod", MIGRATION)
    assert channel.type("unlock prod", user) == (
        "in_channel",
        f"🔓 <@{user}> unlocked *prod*. Deployments are possible again.",
    )
    assert channel.holding() is None


def test_where_nobody_approves_whoever_may_deploy_unlocks(channel: Channel) -> None:
    """Else a lock whose owner is away could never be ended."""
    channel.use(replace(PROD, policy=replace(RULES, approvers=())))
    stored.lock(channel.rows, "prod", MIGRATION)
    assert channel.refused("unlock prod", OUT)
    assert channel.type("unlock prod", KIM)[0] == "in_channel"


def test_a_group_that_slack_does_not_show_lets_nobody_in(channel: Channel, environment: pytest.MonkeyPatch) -> None:
    def unreadable(group: str, **_: Any) -> frozenset[str]:
        raise Refusal("group_unreadable", group=group, said="down")

    environment.setattr(people, "group", unreadable)
    assert "can't be read" in channel.refused("lock prod mine", OUT)


# -- what is said and recorded -----------------------------------------------------------------------------------------


def test_everybody_is_told_what_is_locked_until_when_why_and_how_to_unlock(channel: Channel, time: Time) -> None:
    until = "<!date^1760007200^{date_short_pretty} {time}|2025-10-09 10:53 UTC>"
    kind, text = channel.type("lock prod for 2h &lt;!channel&gt; `migration`")
    assert kind == "in_channel"
    assert text == (
        f"🔒 <@{DANA}> locked *prod* until {until}: &lt;!channel&gt; 'migration'. Nothing new is deployed to it; "
        "rollbacks still work. To unlock it earlier: `/platform-deploy unlock prod`."
    )
    assert channel.holding() == Freeze(NOW + 7200, "<!channel> `migration`", DANA)
    time.pass_by(7200)
    assert channel.holding() is None, "it ends by itself"
    assert "Nobody has locked *prod*" in channel.refused("unlock prod")


def test_a_second_lock_replaces_the_first_and_says_so(channel: Channel) -> None:
    channel.type("lock prod for 1h migration")
    kind, text = channel.type("lock prod still migrating", LEE)
    assert (kind, text.endswith(f"This replaces the lock by <@{DANA}>.")) == ("in_channel", True)
    assert channel.holding() == Freeze(None, "still migrating", LEE)


def test_a_copy_of_a_lock_locks_nothing_again(channel: Channel) -> None:
    """Slack may deliver it again; somebody has unlocked the target since."""
    first = channel.type("lock prod for 2h migration", trigger_id="9.9")
    channel.type("unlock prod", LEE)
    assert channel.type("lock prod for 2h migration", trigger_id="9.9") == first
    assert channel.holding() is None
    assert len(freezes.history(channel.rows, "prod", 10)) == 2


def test_two_at_the_same_moment_do_not_overwrite_each_other_unseen(
    channel: Channel, environment: pytest.MonkeyPatch
) -> None:
    known, meanwhile = freezes.lock_of, [MIGRATION]

    def stale(rows: Table, target: str) -> Lock | None:
        seen = known(rows, target)
        if meanwhile:
            stored.lock(rows, target, meanwhile.pop())
        return seen

    environment.setattr(freezes, "lock_of", stale)
    assert f"Only <@{DANA}>" in channel.type("lock prod mine", KIM)[1]


def test_unlocking_what_is_frozen_as_well_says_so(channel: Channel) -> None:
    channel.use(replace(PROD, freeze=(Weekly(frozenset(range(7)), 0, 1440, "UTC", "audit"),)))
    assert "Nobody has locked *prod*. Nothing was changed. *prod* is frozen until further notice (audit)." in (
        channel.refused("unlock prod")
    )
    stored.lock(channel.rows, "prod", MIGRATION)
    assert channel.type("unlock prod")[1].endswith("*prod* is frozen until further notice (audit).")


def test_without_a_reason_nothing_is_locked_and_the_usage_is_shown(channel: Channel) -> None:
    text = channel.refused("lock prod for 2h")
    assert "Say why it's locked" in text
    assert "`/platform-deploy lock [target] [for 2h] REASON`" in text


# -- what holds --------------------------------------------------------------------------------------------------------


def test_a_lock_and_the_windows_after_it_are_one_freeze_that_is_said_to_be_the_locks() -> None:
    weekend = Weekly(frozenset({5, 6}), 0, 1440, "UTC", "weekend")
    friday = 1_764_954_000.0  # 2025-12-05 17:00 UTC
    lock = Lock(LEE, "migration", friday, friday + 8 * 3600)
    assert holding([lock, weekend], friday) == Freeze(1_765_152_000.0, "migration", LEE)
    assert holding([lock, weekend], friday + 9 * 3600) == Freeze(1_765_152_000.0, "weekend")
    assert holding([replace(lock, until=None), weekend], friday) == Freeze(None, "migration", LEE)
    assert holding([lock], friday + 8 * 3600) is None


@pytest.mark.parametrize("language", config.LANGUAGES)
def test_the_status_and_the_history_show_it(
    channel: Channel, rows: Table, time: Time, language: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("CHATOPS_LANG", language)
    channel.type("lock prod for 2h *migration* &lt;!here&gt;")

    def asked(command: str) -> dict[str, Any]:
        request = {"command": command, "target": "prod"}
        return call(ecs.run, {"deployment_id": "d-1", "mode": "status", "request": request})

    shown = reports.status(status_of(asked("status")))
    assert complaints(shown["blocks"], 50) == []
    for text in (json.dumps(shown["blocks"], ensure_ascii=False), shown["text"]):
        assert "*migration* &lt;!here&gt;" in text
        assert f"<@{DANA}>" in text
        assert "/platform-deploy unlock prod" in text
    time.pass_by(60)
    channel.type("unlock prod", LEE)
    found = asked("history")
    assert [(each["what"], each["by"]) for each in found["locks"]] == [("unlocked", LEE), ("locked", DANA)]
    listed = history.history(status_of(found))
    assert complaints(listed["blocks"], 50) == []
    lines = listed["blocks"][1]["text"]["text"].split("\n")
    assert [line[0] for line in lines] == ["🔓", "🔒"]
    assert "freeze" not in asked("status"), "it is over"


def test_the_history_has_the_locks_since_its_oldest_deployment_in_their_order() -> None:
    row = {"deployment_id": "d-abc", "version": "v2", "started_at": "2025-10-09T08:53:20.000Z", "end": "Deployed"}
    locks = [{"what": "locked", "by": LEE, "at": f"2025-10-0{day}T09:00:00.000Z"} for day in (9, 8)]
    found = history.history(status_of({"target": "prod", "last": [row], "locks": locks}))
    lines = found["blocks"][1]["text"]["text"].split("\n")
    assert [line[0] for line in lines] == ["🔒", "✅"]


def test_what_is_kept_of_a_lock(channel: Channel) -> None:
    channel.type("lock prod for 2h migration")
    (past,) = freezes.history(channel.rows, "prod", 10)
    assert past == PastLock("locked", DANA, "migration", "2025-10-09T10:53:20.000Z", "2025-10-09T08:53:20.000Z")
