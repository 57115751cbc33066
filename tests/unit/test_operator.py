"""The operator's command: a decision with IAM rights, recorded as one, and refused where a button would be."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from chatops import aws, clock
from chatops.domain.errors import Refusal
from chatops.domain.question import Answer, Question
from chatops.domain.record import Outcome
from chatops.edge import question_buttons
from chatops.edge.replies import Addressee
from chatops.messages import card
from chatops.messages.catalogue import mention, reason_text
from chatops.store import cancels, deployments, questions, wakeups
from chatops.store.table import Table
from scripts import operator
from tests.unit import stored
from tests.unit.conftest import TABLE, Time
from tests.unit.test_store_waits import States
from tests.unit.views import PHASES, seen

ID = "d-abcdefghijkl"
ARN = "arn:aws:sts::123456789012:assumed-role/oncall/lee"
PLAN: dict[str, Any] = {"target": "dev", "command": "deploy", "version": "v1", "requester": {"id": "U0DANA001"}}


class Sts:
    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": ARN}


class CloudFormation:
    def __init__(self) -> None:
        self.outputs = [{"OutputKey": "TableName", "OutputValue": TABLE}]

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - botocore's name
        assert StackName == "platform-deploy"
        return {"Stacks": [{"Outputs": self.outputs}]}


@pytest.fixture
def stack() -> CloudFormation:
    return CloudFormation()


@pytest.fixture
def states(rows: Table, environment: pytest.MonkeyPatch, time: Time, stack: CloudFormation) -> States:
    """A deployment that waits for an approval by two."""
    fake, real = States(), aws.client
    ours = {"stepfunctions": fake, "sts": Sts(), "cloudformation": stack}
    environment.setattr(aws, "client", lambda name, **more: ours.get(name) or real(name, **more))
    stored.begin(rows, ID, "arn", PLAN)
    asked = Question(clock.now(), clock.now() + 3600, ("U0LEE0001", "U0KIM0001"), 2)
    questions.ask(rows, ID, asked)
    wakeups.park(rows, ID, "token-1", 0)
    fake.waiting.add("token-1")
    return fake


def test_a_yes_is_recorded_with_who_and_how_and_wakes_the_execution(
    states: States, rows: Table, time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    assert operator.main(["approve", ID, "--by", "Lee"]) == 0
    row = questions.get(rows, ID)
    assert row
    assert (row.decision, row.by, row.via) == (Answer.APPROVED, f"{ARN} Lee", "operator")
    assert states.answered == ["token-1"]
    assert ARN in capsys.readouterr().out


def test_a_no_takes_its_reason_along(states: States, rows: Table) -> None:
    assert operator.main(["reject", ID, "--reason", "not on a Friday"]) == 0
    row = questions.get(rows, ID)
    assert row
    assert (row.decision, row.by, row.reason) == (Answer.REJECTED, ARN, "not on a Friday")
    assert states.answered == ["token-1"]


def paused(rows: Table, name: str, at: float = 0) -> None:
    """A pause of the deployment's rollout."""
    clock.now.pass_by(at)  # type: ignore[attr-defined]  # the tests' clock
    questions.ask(rows, ID, Question(clock.now(), clock.now() + 3600, mark=name, on_timeout="ROLLBACK"))


def test_a_promotion_is_about_the_pause_that_is_open_now(
    states: States, rows: Table, time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    paused(rows, "0" * 12)
    questions.record(rows, ID, Answer.PROMOTED, "U0LEE0001", mark="0" * 12)
    paused(rows, "f" * 12, 60)
    assert operator.main(["promote", ID, "--by", "Lee"]) == 0
    row = questions.get(rows, ID, "f" * 12)
    assert row
    assert (row.decision, row.by, row.via) == (Answer.PROMOTED, f"{ARN} Lee", "operator")
    assert states.answered == ["token-1"]
    assert capsys.readouterr().out == f"{ID} is promoted, by {ARN} Lee.\n"
    assert operator.main(["promote", ID]) == 1
    assert "has promoted v1 → dev already, 0s ago" in capsys.readouterr().err


@pytest.mark.parametrize("before", ["nothing", "cancel", "expiry", "end"])
def test_what_is_not_paused_any_more_is_not_promoted(
    states: States, rows: Table, capsys: pytest.CaptureFixture[str], before: str
) -> None:
    said = {"nothing": "does not wait", "cancel": "cancelled v1 → dev", "expiry": "Nobody decided", "end": "has ended"}
    if before != "nothing":
        paused(rows, "f" * 12)
    if before == "cancel":
        cancels.record(rows, ID, "U0LEE0001")
    elif before == "expiry":
        clock.now.pass_by(3600)  # type: ignore[attr-defined]  # the tests' clock
    elif before == "end":
        stored.settle(rows, ID, "Stopped")
    assert operator.main(["promote", ID]) == 1
    assert said[before] in capsys.readouterr().err
    assert states.answered == []


def test_a_cancel_is_a_record_of_its_own(states: States, rows: Table) -> None:
    assert operator.main(["cancel", ID]) == 0
    found = stored.cancel_of(rows, ID)
    assert (found.by, found.via) == (ARN, "operator")
    assert states.answered == ["token-1"]
    assert operator.main(["cancel", ID]) == 1


def test_what_has_been_decided_or_is_over_is_refused_as_a_button_refuses_it(
    states: States, rows: Table, time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    questions.record(rows, ID, Answer.REJECTED, "U0LEE0001", "no")
    assert operator.main(["approve", ID]) == 1
    assert capsys.readouterr().err == "Nothing was recorded. U0LEE0001 has rejected v1 → dev already, 0s ago.\n"
    assert states.answered == []
    record = deployments.get(rows, ID)
    assert record
    deployments.settle(rows, record, Outcome("Rejected"))
    assert operator.main(["cancel", ID]) == 1
    assert "ended already" in capsys.readouterr().err


def test_after_the_deadline_it_is_too_late(states: States, time: Time, capsys: pytest.CaptureFixture[str]) -> None:
    time.pass_by(3600)
    assert operator.main(["approve", ID]) == 1
    assert "expired" in capsys.readouterr().err


def test_a_cancelled_one_is_not_approved(states: States, rows: Table) -> None:
    cancels.record(rows, ID, "U0DANA001")
    assert operator.main(["approve", ID]) == 1


def test_what_does_not_wait_or_is_not_there_is_said(
    states: States, rows: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    stored.begin(rows, "d-building", "arn", PLAN)
    assert operator.main(["approve", "d-building"]) == 1
    assert "does not wait for an approval" in capsys.readouterr().err
    for action in ("approve", "cancel"):
        assert operator.main([action, "d-nowhere"]) == 1
        assert "Nothing was recorded." in capsys.readouterr().err


def test_a_click_afterwards_is_told_who_decided(states: States, rows: Table) -> None:
    operator.main(["approve", ID, "--by", "Lee"])
    with pytest.raises(Refusal) as refused:
        question_buttons.approve(rows, ID, Addressee("U0LEE0001"), "")
    assert f"an operator (Lee, `{ARN}`) has approved" in reason_text(refused.value.reason)


def test_the_table_comes_from_the_stack_or_from_the_environment(
    states: States, stack: CloudFormation, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv("CHATOPS_TABLE")
    assert operator.main(["cancel", ID]) == 1
    assert "--stack NAME" in capsys.readouterr().err
    assert operator.main(["cancel", ID, "--stack", "platform-deploy"]) == 0
    stack.outputs = []
    assert operator.main(["cancel", ID, "--stack", "platform-deploy"]) == 1
    assert "no output TableName" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["approve"],
        ["demote", ID],
        ["reject", ID],
        ["reject", ID, "--reason", " "],
        ["approve", "d bad"],
        ["approve", ID, "--by", "x" * 81],
    ],
)
def test_words_that_make_no_sense_are_explained(words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        operator.main(words)
    assert left.value.code == 2


def test_whoever_aws_does_not_know_decides_nothing(
    rows: Table, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from botocore.exceptions import NoCredentialsError

    def nobody(name: str, **more: Any) -> Any:
        if name == "sts":
            raise NoCredentialsError
        return boto3.client(name, region_name="us-east-1", **more)

    environment.setattr(aws, "client", nobody)
    assert operator.main(["approve", ID]) == 1
    assert "Nothing was recorded. There are no AWS credentials here." in capsys.readouterr().err


# -- in messages ---------------------------------------------------------------------------------------------


def test_the_message_says_that_an_operator_decided_and_which() -> None:
    approval = {**PHASES["approved"]["approval"], "by": f"{ARN} Lee", "votes": {f"{ARN} Lee": 1.0}}
    message = card.message(seen({**PHASES["approved"], "approval": approval}))
    assert f"Approved by an operator (Lee, `{ARN}`) after" in str(message["blocks"])


def test_a_name_that_an_operator_typed_does_no_harm() -> None:
    assert mention(f"{ARN} <!channel>`") == f"an operator (&lt;!channel&gt;', `{ARN}`)"
    assert mention(ARN) == f"an operator (`{ARN}`)"
    assert mention("somebody") == "an operator"
