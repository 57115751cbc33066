"""make decide DECISION=approve ID=d-abc234def567 STACK=platform-deploy: the operator's command, in make's words.

The words come through the environment, as they were typed: no shell reads them again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from chatops import operator
from chatops.ids import EXECUTION_NAME

DECISIONS = ("approve", "reject", "promote", "cancel")


class Mistake(ValueError):
    """What is wrong with the words, and how it should be."""


def words(env: Mapping[str, str]) -> list[str]:
    """The arguments of `chatops.operator`. Raises Mistake."""
    given = {name: env.get(name, "").strip() for name in ("DECISION", "ID", "STACK", "BY", "REASON")}
    if given["DECISION"] not in DECISIONS:
        raise Mistake(
            f"DECISION is {given['DECISION']!r}; it should be {', '.join(DECISIONS[:-1])} or {DECISIONS[-1]}."
        )
    if not EXECUTION_NAME.fullmatch(given["ID"]):
        raise Mistake(
            f"ID is {given['ID']!r}; it should be the deployment's id, as its message has it: d-abc234def567."
        )
    if not given["STACK"] and not env.get("CHATOPS_TABLE", "").strip():
        raise Mistake("STACK is not set; it should hold the name of the bot's stack.")
    if given["DECISION"] == "reject" and not given["REASON"]:
        raise Mistake("REASON is not set; a rejection needs one, and the channel reads it.")
    for name, most in operator.LONGEST.items():
        if len(given[name.upper()]) > most:
            raise Mistake(f"{name.upper()} has {len(given[name.upper()])} characters; it may have {most}.")
    options = [f"--{name.lower()}={given[name]}" for name in ("STACK", "BY", "REASON") if given[name]]
    return [given["DECISION"], given["ID"], *options]


def main(env: Mapping[str, str] = os.environ) -> int:
    """Exit status as the operator's command has it; 2 for a mistake in the words."""
    try:
        chosen = words(env)
    except Mistake as mistake:
        print(f"Nothing was recorded. {mistake}", file=sys.stderr)
        return 2
    return operator.main(chosen)


if __name__ == "__main__":
    sys.exit(main())
