"""The buttons at a rollout's pause: Promote and Roll back. A button is about exactly the pause that it names."""

from __future__ import annotations

import re

from chatops.domain.errors import Refusal
from chatops.domain.ids import EXECUTION_NAME
from chatops.domain.question import Answer
from chatops.edge import answers
from chatops.store.table import Table

ACTIONS = {"promote": Answer.PROMOTED, "pause_roll_back": Answer.ROLLED_BACK}
_MARK = re.compile(r"[0-9a-f]{12}")


def press(rows: Table, action: str, value: str, user: str, channel: str) -> str:
    """Record this person's answer about the pause in the button's value (`<deployment id>/<mark>`); the text for
    them. Raises Refusal."""
    deployment_id, _, mark = value.partition("/")
    if not (EXECUTION_NAME.fullmatch(deployment_id) and _MARK.fullmatch(mark)):
        raise Refusal("click_unknown")
    answers.check(rows, deployment_id, mark, ACTIONS[action], user, channel)
    return answers.record(rows, deployment_id, mark, ACTIONS[action], user)
