"""What a secret looks like, so that a mix-up is told before anybody is shown it."""

from __future__ import annotations

import re

from chatops import secrets
from chatops.messages.catalogue import english
from chatops.secrets import WHAT

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
    if not value:
        return f"{name} is not set; it should hold {english(WHAT[name])}."
    if beginning.match(value):
        return f"{name} holds something else{more}; it should hold {english(WHAT[name])}."
    if not value.isascii():
        return f"{name} has a character that is not ASCII; it should hold {english(WHAT[name])}."
    if name != secrets.GITHUB_APP_KEY and re.search(r"\s", value):
        return f"{name} has a blank or a line break inside; it should hold {english(WHAT[name])}."
    return ""
