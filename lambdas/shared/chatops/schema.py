"""What was written before this version: every row, plan and execution input that is read passes through here.

Each says which schema wrote it. What is current passes as it is; what is older is brought up, one pure step after the
other; what no step leads from (newer, or older than the steps go) is an error that changes nothing.

Writing something otherwise than before: raise `SCHEMA`, add the step from the number before, keep fixtures of it in
`tests/samples/schema-<number>/`. A step stays as long as a row of its number may be left: releases never expire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chatops import SCHEMA
from chatops.errors import UnknownSchema

Fact = dict[str, Any]
_Steps = Mapping[int, Callable[[Fact], Fact]]
UNNUMBERED = 1
"""Who wrote a row without a number: schema 1 numbered the rows that it put, but not those that an update made."""


def _same(found: Fact) -> Fact:
    return found


def _plan_1_to_2(plan: Fact) -> Fact:
    """Schema 2 says which entry of the ledger was live (None: not known), and when the commit was made."""
    return {"ledger": None, "committed_at": "", **plan}


_ROWS: _Steps = {1: _same}
_PLANS: _Steps = {1: _plan_1_to_2}
_REQUESTS: _Steps = {1: _same}


def _number(found: Mapping[str, Any], absent: int) -> object:
    number = found.get("schema", absent)
    return repr(number) if isinstance(number, bool) or not isinstance(number, int) else number


def _current(found: Mapping[str, Any], place: str, steps: _Steps, absent: int) -> Fact:
    number = _number(found, absent)
    if number == SCHEMA:
        return dict(found)
    if not isinstance(number, int) or any(n not in steps for n in range(number, SCHEMA)) or number > SCHEMA:
        raise UnknownSchema(place, str(number)[:20], f"{min(steps, default=SCHEMA)}-{SCHEMA}")
    made = dict(found)
    for n in range(number, SCHEMA):
        made = {**steps[n](made), "schema": n + 1}
    return made


def row(found: Mapping[str, Any]) -> Fact:
    """A row of the table as this version writes it. Raises UnknownSchema."""
    pk, sk = str(found.get("pk", "")), str(found.get("sk", ""))
    # a ticket's key is its hash; which deployment a row of the target's belongs to stands in its sk
    place = sk if pk.startswith(("TICKET#", "TARGET#")) else f"{pk.rpartition('#')[2]} {sk}"
    return _current(found, place, _ROWS, UNNUMBERED)


def plan(found: Mapping[str, Any]) -> Fact:
    """A plan, from the state or a record, as this version makes it. Raises UnknownSchema."""
    return _current(found, "plan", _PLANS, UNNUMBERED)


def request(found: Mapping[str, Any]) -> Fact:
    """An execution's input. Without a number it was typed by a person, as this version understands it. Raises
    UnknownSchema."""
    return _current(found, "input", _REQUESTS, SCHEMA)


def event(found: Mapping[str, Any]) -> Fact:
    """What a step, or a message's telling, is given: the plan in its state brought up. Raises UnknownSchema."""
    state = found.get("state")
    if not isinstance(state, Mapping) or not isinstance(state.get("plan"), Mapping) or not state["plan"]:
        return dict(found)
    return {**found, "state": {**state, "plan": plan(state["plan"])}}
