"""The answer to `/platform-deploy history`: a target's last deployments, one line each. Pure."""

from __future__ import annotations

from slack_sdk.models.blocks import Block, HeaderBlock, PlainTextObject, SectionBlock

from chatops.domain.codec import Json
from chatops.domain.record import PastDeployment, PastLock
from chatops.domain.status import Status
from chatops.messages.catalogue import date, duration, end_text, escape, mention, plain, say
from chatops.messages.lines import from_to
from chatops.messages.parts import SECTION, mrkdwn
from chatops.messages.reports import icon


def history(of: Status) -> Json:
    """`{"text", "blocks"}`, newest first; the text says the newest alone."""
    target, rows = of.target, of.last
    if not (rows or of.locks):
        return {"text": say("history_none", target=target)}
    title = plain("history_title", target=target)
    blocks: list[Block] = [HeaderBlock(text=PlainTextObject(text=title[:150]))]
    blocks += [SectionBlock(text=mrkdwn(text)) for text in _pages(_lines(of))]
    newest = f"{rows[0].version or plain('unknown')} · {_end(rows[0])}" if rows else plain("status_no_history")
    text = say("history_text", target=target, count=len(rows), last=newest)
    return {"text": text, "blocks": [block.to_dict() for block in blocks]}


def _lines(of: Status) -> list[str]:
    """Deployments, and who has locked and unlocked the target since the oldest of them; the newest first."""
    oldest = of.last[-1].started_at if of.last else ""
    found = [(row.started_at, _line(row)) for row in of.last]
    found += [(row.at, _locking(row)) for row in of.locks if row.at >= oldest]
    return [line for _, line in sorted(found, reverse=True)]


def _locking(row: PastLock) -> str:
    """`🔒 Locked · who · when · until when · why`."""
    locked = row.what == "locked"
    parts = [f"🔒 *{say('history_locked')}*" if locked else f"🔓 *{say('history_unlocked')}*"]
    parts += [mention(row.by), date(row.at)]
    if row.until:
        parts.append(say("history_until", until=row.until))
    return " · ".join([*parts, *([escape(row.reason, 100)] if row.reason else [])])


def _end(row: PastDeployment) -> str:
    return end_text(row.end) or plain("end_in_flight")


def _line(row: PastDeployment) -> str:
    """`✅ v1 → v2 · Deployed · who · when · how long`; from where and how long only where that is known."""
    parts = [
        f"{icon(row.end)} {from_to(row.before, row.version or plain('unknown'))}",
        f"*{escape(_end(row))}*",
        mention(row.requester),
        date(row.started_at),
    ]
    if row.seconds is not None:
        parts.append(duration(row.seconds))
    return " · ".join(parts)


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
