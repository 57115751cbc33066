"""Pages and their Link header. https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

T = TypeVar("T")

PER_PAGE = 30
MOST_PER_PAGE = 100


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of `items`, and the Link header that leads to the others (empty: there is one page only)."""

    items: list[T]
    link: str


def _number(text: str | None, default: int, most: int | None = None) -> int:
    """GitHub ignores what is no positive number and caps what is too large."""
    if text is None or not text.isascii() or not text.isdigit() or int(text) < 1:
        return default
    return min(int(text), most) if most else int(text)


def page_of(items: Sequence[T], query: Mapping[str, str], url: str, default: int = PER_PAGE) -> Page[T]:
    """Cut one page out of `items` by the query's `per_page` and `page`; `url` is the address without a query.

    The relations stand in GitHub's order: prev, next, last, first.
    """
    per_page = _number(query.get("per_page"), default, max(default, MOST_PER_PAGE))
    page = _number(query.get("page"), 1)
    last = max((len(items) + per_page - 1) // per_page, 1)
    relations: list[tuple[str, int]] = []
    if page > 1:
        relations.append(("prev", min(page - 1, last)))
    if page < last:
        relations += [("next", page + 1), ("last", last)]
    if page > 1:
        relations.append(("first", 1))
    rest = {key: value for key, value in query.items() if key != "page"}
    link = ", ".join(f'<{url}?{urlencode({**rest, "page": str(number)})}>; rel="{rel}"' for rel, number in relations)
    return Page(list(items[(page - 1) * per_page : page * per_page]), link)
