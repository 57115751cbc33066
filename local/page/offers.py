"""Who could have done what somebody was refused for who they are: whom the page offers to act as."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING

from chatops.messages.catalogue import texts

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

REFUSALS: tuple[TextKey, ...] = (
    "click_not_asked",
    "click_own",
    "click_promote_own",
    "click_not_promoter",
    "click_not_your_pause",
    "cancel_not_you",
)
"""The texts that refuse a click, or a cancel, and name those who may."""
_FIELD = re.compile(r"\\\{\w+\\\}")
_MENTION = re.compile(r"<@(\w+)>")


def offered(text: str, reader: str | None, actors: Collection[str]) -> list[str]:
    """The ids of those among `actors` whom a message to `reader` names as the ones who may; none where it says
    something else."""
    if not reader or not any(pattern.search(text) for pattern in _patterns()):
        return []
    return [one for one in dict.fromkeys(_MENTION.findall(text)) if one != reader and one in actors]


@cache
def _patterns() -> list[re.Pattern[str]]:
    """Each refusal in each language, with any values; a sign may stand before it."""
    found = [texts(code)[key] for code in ("en", "ko") for key in REFUSALS]
    return [re.compile(f"{_FIELD.sub('.*', re.escape(one))}$", re.DOTALL) for one in found]
