"""The answer to `/platform-deploy history`: a target's last deployments, one line each. Pure."""

from __future__ import annotations

from typing import Any

from slack_sdk.models.blocks import Block, HeaderBlock, PlainTextObject, SectionBlock

from chatops.messages.catalogue import date, duration, escape, mention, plain, say
from chatops.messages.facts import Facts
from chatops.messages.living import from_to
from chatops.messages.parts import SECTION, mrkdwn
from chatops.messages.reports import icon


def history(fact: Facts) -> dict[str, Any]:
    """`{"text", "blocks"}`, newest first; the text says the newest alone."""
    target, rows = str(fact["target"]), list(fact.get("last") or [])
    if not rows:
        return {"text": say("history_none", target=target)}
    title = plain("history_title", target=target)
    blocks: list[Block] = [HeaderBlock(text=PlainTextObject(text=title[:150]))]
    blocks += [SectionBlock(text=mrkdwn(text)) for text in _pages([_line(row) for row in rows])]
    newest = f"{rows[0].get('version') or plain('unknown')} {_end(rows[0])}"
    text = say("history_text", target=target, count=len(rows), last=newest)
    return {"text": text, "blocks": [block.to_dict() for block in blocks]}


def _end(row: Facts) -> str:
    return str(row.get("end") or "") or plain("end_in_flight")


def _line(row: Facts) -> str:
    """`✅ v1 → v2 · Deployed · who · when · how long · id`; from where and how long only where that is known."""
    before, version = str(row.get("before") or ""), str(row.get("version") or plain("unknown"))
    moved = from_to(before, version)
    parts = [
        f"{icon(str(row.get('end') or ''))} {moved}",
        f"*{escape(_end(row))}*",
        mention(str(row.get("requester") or "")),
        date(str(row.get("started_at") or "")),
    ]
    if row.get("seconds") is not None:
        parts.append(duration(float(row["seconds"])))
    return " · ".join([*parts, f"`{escape(row.get('deployment_id') or '')}`"])


def _pages(lines: list[str]) -> list[str]:
    """As many lines to a section as Slack takes."""
    pages = [""]
    for line in lines:
        longer = f"{pages[-1]}\n{line}".lstrip()
        if len(longer) <= SECTION:
            pages[-1] = longer
        else:
            pages.append(line)
    return pages
