"""The filters of the list of runs. https://docs.github.com/rest/actions/workflow-runs"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from fakes.github.errors import ApiError
from fakes.github.model import CONCLUSIONS, Run

STATUSES = frozenset({"completed", "in_progress", "queued", "requested", "waiting", "pending", *CONCLUSIONS})
#: A filtered search returns at most so many runs, however many match.
MOST_RESULTS = 1000
SEARCHED = frozenset({"actor", "branch", "check_suite_id", "created", "event", "head_sha", "status"})

_DAY = 86_400.0
_RANGE = re.compile(r"^(?P<from>.+?)\.\.(?P<to>.+)$")
_COMPARED = re.compile(r"^(?P<op>>=|<=|>|<)(?P<when>.+)$")


def _moment(text: str) -> tuple[float, float]:
    """First and last second that a date or a date with time names, as epoch seconds."""
    # A plus sign in a query that was not percent-encoded arrives as a space.
    text = re.sub(r" (\d\d:?\d\d)$", r"+\1", text.strip())
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(422, f"Invalid date in 'created': {text}") from None
    begin = parsed.replace(tzinfo=parsed.tzinfo or UTC).timestamp()
    return (begin, begin + _DAY - 1) if len(text) == len("2024-01-31") else (begin, begin)


def created_test(text: str) -> Callable[[float], bool]:
    """The date syntax of GitHub's search: `>=2024-01-31T10:00:00Z`, `A..B`, `A..*`, `2024-01-31`.

    https://docs.github.com/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax
    """
    if match := _RANGE.match(text):
        low = float("-inf") if match["from"] == "*" else _moment(match["from"])[0]
        high = float("inf") if match["to"] == "*" else _moment(match["to"])[1]
        return lambda at: low <= at <= high
    if match := _COMPARED.match(text):
        first, last = _moment(match["when"])
        tests: dict[str, Callable[[float], bool]] = {
            ">=": lambda at: at >= first,
            ">": lambda at: at > last,
            "<=": lambda at: at <= last,
            "<": lambda at: at < first,
        }
        return tests[match["op"]]
    first, last = _moment(text)
    return lambda at: first <= at <= last


def filter_runs(runs: Sequence[Run], query: Mapping[str, str]) -> list[Run]:
    """The runs that match, newest first. Raises ApiError 422 for a status or date GitHub does not know."""
    status = query.get("status")
    if status and status not in STATUSES:
        raise ApiError(422, f"Invalid value for 'status': {status}")
    in_time = created_test(query["created"]) if query.get("created") else None
    found = [
        run
        for run in runs
        if (not query.get("event") or run.event == query["event"])
        and (not query.get("branch") or run.head_branch == query["branch"])
        and (not query.get("actor") or run.actor == query["actor"])
        and (not query.get("head_sha") or run.head_sha == query["head_sha"])
        and (not status or status in (run.status, run.conclusion))
        and (in_time is None or in_time(int(run.created)))
    ]
    return sorted(found, key=lambda run: run.id, reverse=True)
