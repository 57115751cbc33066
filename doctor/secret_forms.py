"""What a secret looks like, so that a mix-up is told before anybody is shown it."""

from __future__ import annotations

import re

from chatops.domain.reason import Reason
from chatops.messages.english import english_text
from chatops.settings import secrets
from chatops.settings.secrets import WHAT

_OTHERS = {
    secrets.SLACK_SIGNING_SECRET: (re.compile(r"xox|xapp-|gh[a-z]_|github_pat_|-----BEGIN"), ""),
    secrets.SLACK_BOT_TOKEN: (re.compile(r"(?!xoxb-)"), "; a bot token begins with xoxb-"),
    secrets.GITHUB_TOKEN: (re.compile(r"xox|xapp-|-----BEGIN"), ""),
    secrets.GITHUB_APP_KEY: (re.compile(r"(?!-----BEGIN )"), "; a key begins with -----BEGIN"),
}
"""Beginnings of what belongs elsewhere."""
NAMES = tuple(_OTHERS)


def problem(name: str, value: str) -> str:
    """What is wrong with the secret, in words without its value; empty where nothing is."""
    beginning, more = _OTHERS[name]
    what = english_text(Reason(WHAT[name]))
    if not value:
        return f"{name} is not set; it should hold {what}."
    if beginning.match(value):
        return f"{name} holds something else{more}; it should hold {what}."
    if not value.isascii():
        return f"{name} has a character that is not ASCII; it should hold {what}."
    if name != secrets.GITHUB_APP_KEY and re.search(r"\s", value):
        return f"{name} has a blank or a line break inside; it should hold {what}."
    return ""
