"""Roll back, and Deploy to …: only for what is live, once however often it is pressed, and nobody can use it up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chatops import aws
from chatops.domain.errors import Refusal
from chatops.domain.record import Outcome
from chatops.domain.release import Release
from chatops.domain.target import Policy, Target
from chatops.edge import interactions, live_buttons
from chatops.edge.live_buttons import Press
from chatops.edge.replies import refused
from chatops.messages import buttons, card
from chatops.slack import client as slack
from chatops.slack import posting
from chatops.store import deployments, messages, releases
from chatops.store.table import Table
from fakes.slack.blocks import accepted
from tests.unit import stored
from tests.unit.views import ENDS, PHASES, seen

CARD, OTHER = "d-aaaaaaaaaaaa", "d-bbbbbbbbbbbb"
DANA, OUT = "U0DANA001", "U0OUT0001"
PLAN: dict[str, Any] = {
    "target": "prod",
    "command": "deploy",
    "version": "v2",
    "requester": {"id": DANA},
    "channel": "C0DEPLOY1",
}
PRESS = Press(DANA, "dana", "T0ACME001", "C0DEPLOY1", "https://hooks.slack.com/actions/1")


class States:
    """StartExecution and DescribeExecution: a name is taken for ever; `ended` lists those that run no more."""

    class exceptions:  # noqa: N801 - botocore's name
        ClientError = ClientError
        ExecutionAlreadyExists = type("ExecutionAlreadyExists", (ClientError,), {})

    def __init__(self) -> None:
        self.started: dict[str, dict[str, Any]] = {}
        self.ended: set[str] = set()
        self.down = False

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803 - botocore's
        if self.down:
            raise ClientError({"Error": {"Code": "InternalFailure"}}, "StartExecution")
        if name in self.started and (name in self.ended or self.started[name] != json.loads(input)):
            raise self.exceptions.ExecutionAlreadyExists({"Error": {"Code": "x"}}, "StartExecution")
        self.started[name] = json.loads(input)

    def describe_execution(self, executionArn: str) -> dict[str, str]:  # noqa: N803 - botocore's name
        assert ":execution:chatops-deploy:" in executionArn
        return {"status": "SUCCEEDED" if executionArn.rpartition(":")[2] in self.ended else "RUNNING"}


def roll_back(card: str, press: Press) -> str:
    """What the person reads."""
    try:
        return live_buttons.roll_back(card, press)
    except Refusal as refusal:
        return refused(refusal, "roll_back", press.user, card)


def went_live(rows: Table, version: str, deployment: str, day: int) -> None:
    at = f"2025-01-{day:02d}T00:00:00.000Z"
    rows.transact(releases.adding("prod", Release(version, deployment_id=deployment, verified_at=at)))


@pytest.fixture
def states(rows: Table, environment: pytest.MonkeyPatch) -> States:
    fake, real = States(), aws.client
    environment.setattr(aws, "client", lambda name, **more: fake if name == "stepfunctions" else real(name, **more))
    for shown, version in ((CARD, "v2"), (OTHER, "v3")):
        stored.begin(rows, shown, "arn", {**PLAN, "version": version})
    rows.transact(
        releases.adding("prod", Release("v1", deployment_id="before", verified_at="2025-01-01T00:00:00.000Z"))
    )
    rows.transact(releases.adding("prod", Release("v2", deployment_id=CARD, verified_at="2025-01-02T00:00:00.000Z")))
    return fake


def test_a_press_starts_what_the_command_would_in_the_cards_channel_for_whoever_pressed(states: States) -> None:
    assert "Rolling *prod* back" in roll_back(CARD, PRESS)
    assert states.started == {
        live_buttons.execution_name("T0ACME001", CARD): {
            "schema": 1,
            "command": "rollback",
            "target": "prod",
            "requester": {"id": DANA, "name": "dana"},
            "channel": "C0DEPLOY1",
            "response_url": "https://hooks.slack.com/actions/1",
            "card": CARD,
        }
    }


def test_any_number_of_presses_by_anybody_is_one_rollback(states: States, rows: Table) -> None:
    roll_back(CARD, PRESS)
    for user in (DANA, OUT, "U0KIM0001"):
        said = roll_back(CARD, Press(user, channel="C0DEPLOY1", team="T0ACME001", response_url=user))
        assert "already" in said
    assert len(states.started) == 1
    name = live_buttons.execution_name("T0ACME001", CARD)
    stored.begin(rows, name, "arn", {**PLAN, "command": "rollback", "version": "v1"})
    assert "already" in roll_back(CARD, Press(OUT, team="T0ACME001"))


def test_a_press_on_what_is_not_live_any_more_is_refused_with_what_is(states: States, rows: Table) -> None:
    went_live(rows, "v3", OTHER, 3)
    said = roll_back(CARD, PRESS)
    assert "*prod* doesn't run `v2` any more" in said
    assert "Running now: `v3`" in said
    assert states.started == {}


def test_the_same_version_deployed_again_is_another_release(states: States, rows: Table) -> None:
    went_live(rows, "v2", OTHER, 3)
    assert "any more" in roll_back(CARD, PRESS)
    assert "Rolling *prod* back" in roll_back(OTHER, PRESS)


def test_a_press_that_was_refused_does_not_use_the_button_up(states: States) -> None:
    """A guest pressed: `plan` refused before it wrote a record. The next one may."""
    roll_back(CARD, Press(OUT, team="T0ACME001"))
    first = live_buttons.execution_name("T0ACME001", CARD)
    states.ended.add(first)
    assert "Rolling *prod* back" in roll_back(CARD, PRESS)
    assert set(states.started) == {first, live_buttons.execution_name("T0ACME001", CARD, 2)}
    assert "already" in roll_back(CARD, Press(OUT, team="T0ACME001"))
    assert len(states.started) == 2


def test_a_rollback_that_people_refused_is_asked_for_again_by_command(states: States, rows: Table) -> None:
    roll_back(CARD, PRESS)
    name = live_buttons.execution_name("T0ACME001", CARD)
    stored.begin(rows, name, "arn", {**PLAN, "command": "rollback", "version": "v1"})
    record = deployments.get(rows, name)
    assert record
    deployments.settle(rows, record, Outcome("Rejected"))
    states.ended.add(name)
    said = roll_back(CARD, PRESS)
    assert "Rejected" in said
    assert "/platform-rollback prod" in said
    assert len(states.started) == 1


@pytest.mark.parametrize(
    ("card", "press", "said"),
    [
        ("d-nobodysdepl", PRESS, "no deployment that I know"),
        (CARD, Press(DANA, channel="C0PUBLIC1"), "in the channel of its message"),
    ],
)
def test_a_forged_card_or_channel_is_refused(states: States, card: str, press: Press, said: str) -> None:
    assert said in roll_back(card, press)
    assert states.started == {}


def test_step_functions_not_answering_is_said(states: States) -> None:
    states.down = True
    assert "did not answer" in roll_back(CARD, PRESS)


# -- Deploy to the target that comes after this one --------------------------------------------------------------------


@pytest.fixture
def chain(states: States, environment: pytest.MonkeyPatch) -> States:
    """`eu` and `us` come after `prod`, whose v2 is live."""
    known = {name: Target(name, "acme/shop", f"{name}_deploy", policy=Policy(after="prod")) for name in ("eu", "us")}
    known["prod"] = Target("prod", "acme/shop", "prod_deploy")
    for module in (live_buttons, posting):
        environment.setattr(module, "targets", lambda: known)
    return states


def deploy_to(name: str, press: Press = PRESS, card: str = CARD) -> str:
    """What the person reads."""
    try:
        return live_buttons.deploy_to(card, name, press)
    except Refusal as refusal:
        return refused(refusal, "deploy_to", press.user, card)


def test_deploy_to_starts_what_the_command_would_for_whoever_pressed(
    chain: States, environment: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    environment.setattr(slack, "respond", lambda _url, **message: not told.append(message["text"]))
    press = {
        "type": "block_actions",
        "user": {"id": DANA, "name": "dana", "team_id": "T0ACME001"},
        "channel": {"id": "C0DEPLOY1"},
        "response_url": "https://hooks.slack.com/actions/1",
        "actions": [{"action_id": "deploy_to:eu", "value": CARD}],
    }
    for _ in range(3):
        interactions.answer(press)
    assert told == ["Got it. Deploying `v2` to *eu*; follow it below."] * 3
    assert chain.started == {
        live_buttons.execution_name("T0ACME001", CARD, key="eu"): {
            "schema": 1,
            "command": "deploy",
            "version": "v2",
            "target": "eu",
            "requester": {"id": DANA, "name": "dana"},
            "channel": "C0DEPLOY1",
            "response_url": "https://hooks.slack.com/actions/1",
        }
    }


def test_presses_by_others_start_nothing_more_and_each_target_is_its_own(chain: States) -> None:
    deploy_to("eu")
    assert "being deployed to *eu* already" in deploy_to("eu", replace(PRESS, user=OUT))
    assert "Got it." in deploy_to("us", replace(PRESS, user=OUT))
    assert "Rolling *prod* back" in roll_back(CARD, PRESS)
    assert len(chain.started) == 3


@pytest.mark.parametrize("name", ["prod", "nowhere", "", "eu/x", "../eu"])
def test_a_target_that_does_not_come_next_cannot_be_forged(chain: States, name: str) -> None:
    assert "no deployment that I know" in deploy_to(name)
    assert chain.started == {}


def test_what_is_live_no_more_is_not_sent_on(chain: States, rows: Table) -> None:
    went_live(rows, "v3", OTHER, 3)
    said = deploy_to("eu")
    assert "`v2` isn't live in *prod* any more, so this button has expired." in said
    assert "Running now: `v3`. To deploy it all the same: `/platform-deploy v2 eu`." in said
    assert "in the channel of its message" in deploy_to("eu", replace(PRESS, channel="C0PUBLIC1"), OTHER)
    assert chain.started == {}


def test_what_has_ended_is_asked_for_again_by_command(chain: States, rows: Table) -> None:
    deploy_to("eu")
    name = live_buttons.execution_name("T0ACME001", CARD, key="eu")
    stored.begin(rows, name, "arn", {**PLAN, "target": "eu"})
    stored.settle(rows, name, "Rejected")
    chain.ended.add(name)
    assert "(Rejected). To ask again: `/platform-deploy v2 eu`." in deploy_to("eu")


def test_the_live_card_offers_the_next_targets_and_keeps_the_button_until_it_is_retired(
    chain: States, rows: Table, environment: pytest.MonkeyPatch
) -> None:
    for end, rest in (("Deployed", ["roll_back"]), ("Deployed, first", [])):
        live = posting.view_of(seen(ENDS[end]).deployment)
        assert live.next == ("eu", "us")
        message = card.message(live)
        assert actions(message) == ["deploy_to:eu", "deploy_to:us", *rest]
        assert accepted(message["blocks"])
        assert buttons.are_to_be_retired(live)
    for name, state in {**ENDS, **PHASES}.items():
        if not name.startswith("Deployed"):
            assert posting.view_of(seen(state).deployment).next == (), name
    assert len(actions(card.message(replace(live, next=tuple(f"t{n}" for n in range(30)))))) <= 6


# -- the message ---------------------------------------------------------------------------------------------


def actions(message: card.Message) -> list[str]:
    return [e["action_id"] for block in message["blocks"] if block["type"] == "actions" for e in block["elements"]]


def test_only_a_live_deployment_with_something_before_it_has_the_button() -> None:
    assert actions(card.message(seen(ENDS["Deployed"]))) == ["roll_back"]
    assert actions(card.message(seen(ENDS["Deployed, first"]))) == []
    for name, state in {**ENDS, **PHASES}.items():
        if not name.startswith("Deployed"):
            assert "roll_back" not in actions(card.message(seen(state))), name


def test_the_button_asks_before_it_acts_and_carries_the_deployment_alone() -> None:
    block = next(b for b in card.message(seen(ENDS["Deployed"]))["blocks"] if b["type"] == "actions")
    (button,) = block["elements"]
    assert button["value"] == "d-abc234def567"
    assert "v1.2.3" in button["confirm"]["text"]["text"]


def test_the_button_goes_once_and_the_rest_of_the_message_stays(rows: Table, environment: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, dict[str, Any]]] = []

    def call(method: str, **arguments: Any) -> dict[str, Any]:
        calls.append((method, arguments))
        return {"ok": True, "channel": "C0DEPLOY1", "ts": "1.1"}

    environment.setattr(slack, "call", call)
    view = seen(ENDS["Deployed"])
    assert posting.show(view)
    before = calls[-1][1]
    posting.retire(view.id, "↩️ gone")
    method, after = calls[-1]
    assert (method, after["channel"], after["ts"]) == ("chat.update", "C0DEPLOY1", "1.1")
    assert after["text"] == before["text"]
    assert after["blocks"].pop(-2)["text"]["text"] == "↩️ gone"
    assert after["blocks"] == [b for b in before["blocks"] if b["type"] != "actions"]
    posting.retire(view.id)
    posting.retire("d-unknown")
    assert len(calls) == 2
    assert messages.get(rows, view.id).live is None
