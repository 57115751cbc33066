"""The findings as lines for a terminal, or as JSON. No secret that is known comes through."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

from doctor.result import State
from doctor.runner import Finding

SIGNS = {State.OK: "✓", State.WARNING: "!", State.FAILED: "✗", State.SKIPPED: "\N{EN DASH}"}
_WIDTH, _INDENT = 100, 13


def lines(finding: Finding) -> list[str]:
    """One finding: a sign and a word, what was found; below, what it causes, what to do, and where."""
    result = finding.result
    about = f"{finding.check} [{finding.subject}]" if finding.subject else finding.check
    shown = _wrapped(f"{SIGNS[result.state]} {result.state:<8} ", f"{about}: {result.found}")
    for label, text in (("It causes:  ", result.causes), ("What to do: ", result.todo)):
        if text:
            shown += _wrapped(" " * _INDENT + label, text)
    return shown + ([" " * _INDENT + f"See:        {result.link}"] if result.link else [])


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=label,
        subsequent_indent=" " * max(len(label), _INDENT),
        break_long_words=False,
        break_on_hyphens=False,
    )


def summary(findings: Sequence[Finding]) -> str:
    """The last line: how many of each."""
    count = Counter(finding.result.state for finding in findings)
    return (
        ", ".join(f"{count[state]} {state}" for state in (State.FAILED, State.WARNING, State.OK, State.SKIPPED)) + "."
    )


def as_json(findings: Sequence[Finding]) -> str:
    """All of it as one JSON object: `ok`, and `findings` with check, subject, state, found, causes, todo, link."""
    found = [
        {
            "check": finding.check,
            "subject": finding.subject,
            "state": str(finding.result.state),
            "found": finding.result.found,
            "causes": finding.result.causes,
            "todo": finding.result.todo,
            "link": finding.result.link,
        }
        for finding in findings
    ]
    healthy = all(finding.result.state is not State.FAILED for finding in findings)
    return json.dumps({"ok": healthy, "findings": found}, ensure_ascii=False, indent=2)


def concealed(text: str, secrets: Iterable[str]) -> str:
    """The text without these values, whoever put them there (a service may repeat what it was sent)."""
    for value in sorted((value for value in secrets if len(value) >= 8), key=len, reverse=True):
        text = text.replace(value, "…")
    return text
