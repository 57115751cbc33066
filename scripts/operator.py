"""Decide while Slack is down: `python -m scripts.operator approve|reject|promote|cancel d-abc234def567`.

For somebody who may write the stack's table and answer its task tokens (IAM: `dynamodb:GetItem`, `Query`, `PutItem`,
`UpdateItem` and `ConditionCheckItem` on the table, `states:SendTaskSuccess`). The decision is recorded as the button's
would be, with `via` operator and the caller's ARN as AWS knows it, and shown as such in Slack when Slack is back. What
the buttons refuse is refused here too, but for who may press them; one operator's yes is enough for any quorum.
`promote` is about the rollout's pause that is open now; to roll it back there, `cancel`.

    PYTHONPATH=lambdas/shared:. python -m scripts.operator approve d-abc234def567 --stack platform-deploy
    PYTHONPATH=lambdas/shared:. python -m scripts.operator reject d-abc234def567 --reason "not on a Friday" --by Lee

The table is the stack's output TableName (`--stack`), or CHATOPS_TABLE; region and credentials are the usual ones of
AWS's tools. For the local run: AWS_ENDPOINT_URL=(its engine) CHATOPS_TABLE=platform-deploy-table, and any credentials.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chatops import aws
from chatops.domain.errors import ChatOpsError, Refusal
from chatops.domain.ids import EXECUTION_NAME
from chatops.domain.question import OPERATOR, Answer
from chatops.edge import answers, cancel
from chatops.store import deployments, questions
from chatops.store.table import Table
from scripts.terminal import meaning

_ANSWERS = {"approve": Answer.APPROVED, "reject": Answer.REJECTED, "promote": Answer.PROMOTED}
ACTIONS = (*_ANSWERS, "cancel")
_LONGEST = {"reason": 500, "by": 80}
_CALLED = {
    "action": "the action",
    "deployment_id": "the id",
    "reason": "--reason",
    "by": "--by",
    "stack": "--stack NAME",
}


@dataclass(frozen=True)
class Asked:
    """What a person asks for; what is empty was not given. `stack`: of CloudFormation (default: CHATOPS_TABLE)."""

    action: str
    deployment_id: str
    reason: str = ""
    by: str = ""
    stack: str = ""


class NotDecided(ChatOpsError):
    """Nothing was recorded; the text says why."""


def decide(rows: Table, action: str, deployment_id: str, by: str, reason: str = "") -> str:
    """Record the decision and wake the execution; says what was done. Raises Refusal, or NotDecided
    where nothing is asked."""
    record = deployments.get(rows, deployment_id)
    if action == "cancel":
        if record is None:
            raise Refusal("cancel_unknown", id=deployment_id)
        cancel.withdraw(rows, record, by, OPERATOR)
        return f"{deployment_id} is being cancelled, by {by}."
    answer = _ANSWERS[action]
    if answer is Answer.PROMOTED:
        question, asked = next(iter(questions.pauses(rows, deployment_id)), None), "to be promoted"
    else:
        question, asked = questions.get(rows, deployment_id), "for an approval"
    if record and not record.outcome and question is None:
        raise NotDecided(f"{deployment_id} does not wait {asked}.")
    plan = answers.check_open(rows, deployment_id, record, question).plan
    mark = question.mark if question else ""
    answers.record(rows, deployment_id, plan, mark, answer, by, reason, OPERATOR)
    return f"{deployment_id} is {answer}, by {by}."


def identity(name: str = "") -> str:
    """Who decides: the caller's ARN, and the name that was given."""
    arn = str(aws.client("sts").get_caller_identity()["Arn"])
    return f"{arn} {name}".strip()


def mistake(asked: Asked, called: Mapping[str, str] = _CALLED) -> str:
    """What is wrong with the words, empty if nothing is. `called`: what the person calls each of them."""
    if asked.action not in ACTIONS:
        return f"{called['action']} is {asked.action!r}; it should be one of {', '.join(ACTIONS)}"
    if not EXECUTION_NAME.fullmatch(asked.deployment_id):
        return f"{called['deployment_id']} is {asked.deployment_id!r}; a deployment's id looks like d-abc234def567"
    if asked.action == "reject" and not asked.reason:
        return f"a rejection needs a reason ({called['reason']}); the channel reads it"
    for name, most in _LONGEST.items():
        if (found := len(getattr(asked, name))) > most:
            return f"{called[name]} has {found} characters; it may have {most}"
    return ""


def table(stack: str = "", called: str = _CALLED["stack"]) -> Table:
    """The stack's table, or the one that CHATOPS_TABLE names. Raises NotDecided."""
    found = os.environ.get("CHATOPS_TABLE", "").strip()
    if stack:
        stacks = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        outputs = {o["OutputKey"]: o["OutputValue"] for o in stacks[0].get("Outputs", [])}
        found = str(outputs.get("TableName", ""))
        if not found:
            raise NotDecided(f"The stack {stack} has no output TableName; is it this bot's?")
    if not found:
        raise NotDecided(f"Which table? Name the stack ({called}), or the table in CHATOPS_TABLE.")
    return Table(found, aws.client("dynamodb"))


def _arguments(given: Sequence[str] | None) -> Asked:
    parser = argparse.ArgumentParser(prog="python -m scripts.operator", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("deployment_id", help="as it stands in its message: d-abc234def567, or the execution's name")
    parser.add_argument("--reason", default="", help="shown in the channel; a rejection needs one")
    parser.add_argument("--by", default="", metavar="NAME", help="your name, shown beside the caller's ARN")
    parser.add_argument("--stack", default="", metavar="NAME", help="the CloudFormation stack (default: CHATOPS_TABLE)")
    asked = Asked(**{name: value.strip() for name, value in vars(parser.parse_args(given)).items()})
    if wrong := mistake(asked):
        parser.error(wrong)
    return asked


def carry_out(asked: Asked, called: Mapping[str, str] = _CALLED) -> int:
    """Decide, and say so. Exit status 0 when the decision is recorded, 1 when it is refused."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        rows = table(asked.stack, called["stack"])
        said = decide(rows, asked.action, asked.deployment_id, identity(asked.by), asked.reason)
    except (ChatOpsError, ClientError, BotoCoreError) as error:
        why = (
            error.text.translate({ord("`"): "", ord("*"): ""})
            if isinstance(error, ChatOpsError)
            else meaning(error) or error
        )
        print(f"Nothing was recorded. {why}", file=sys.stderr)
        return 1
    print(said)
    return 0


def main(given: Sequence[str] | None = None) -> int:
    """`carry_out`; exit status 2 for a mistake in the words."""
    return carry_out(_arguments(given))


if __name__ == "__main__":
    sys.exit(main())
