"""The keys that sign the links to deployments' pages: one a week, random, made by whoever needs it first.

A key expires with the last link that it has signed. It stands in the table, since all that it opens stands there too:
whoever reads the table needs no link. To end the links of a week at once, delete its row.
"""

from __future__ import annotations

import secrets

from chatops.domain import page_link
from chatops.store.table import Table

_PK = "PAGES"
_BYTES = 32


def _sk(number: int) -> str:
    return f"KEY#{number}"


def get(table: Table, number: int) -> bytes | None:
    """The key, or None where none was made or it has been taken back."""
    row = table.get(_PK, _sk(number))
    return bytes.fromhex(str(row["key"])) if row else None


def ensured(table: Table, number: int) -> bytes:
    """The key, made now where there is none. Of several who make it at once all get the same."""
    if known := get(table, number):
        return known
    change = "SET #key = if_not_exists(#key, :key), #expires_at = :expires"
    values = {"key": secrets.token_hex(_BYTES), "expires": page_link.key_expires(number)}
    return bytes.fromhex(str(table.update(_PK, _sk(number), change, values=values)["key"]))


def address(table: Table, api_url: str, deployment_id: str, started_at: float) -> str:
    """The page of a deployment that began then (epoch seconds), with its signature; it is the same each time. Empty for
    one that has not begun."""
    if not started_at:
        return ""
    until = page_link.end(started_at)
    signed = page_link.signature(ensured(table, page_link.key_number(until)), deployment_id, until)
    return page_link.address(api_url, deployment_id, signed)
