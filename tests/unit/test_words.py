"""Slack's marks as words, and the story that `make demo` tells with them."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from local.words import Names, words

KST = timezone(timedelta(hours=9))
NOW = datetime(2026, 11, 30, 18, 0, tzinfo=KST)
NAMES = Names(NOW, {"U0LEE0001": "lee"}, {"C0DEPLOY1": "deployments"}, {"S0PLATF01": "platform"})
AT = int(NOW.timestamp())
RECORDED = Path(__file__).with_name("messages.json")


def date(seconds: int, form: str = "{date_short_pretty} {time}") -> str:
    return f"<!date^{seconds}^{form}|2026-11-30 09:00 UTC>"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<@U0LEE0001> or <@U0WHO0001>", "@lee or @U0WHO0001"),
        ("<@U0WHO0001|sam> in <#C0DEPLOY1> and <#C1|ops>", "@sam in #deployments and #ops"),
        ("<!subteam^S0PLATF01>, <!here>", "@platform, @here"),
        ("<https://ci.example/4|run #4> <https://a.example>", "run #4 https://a.example"),
        ("*dev* still runs `v1.0.0`, _really_", "dev still runs v1.0.0, really"),
        ("`a_b_c` 2*3*4 snake_case_name", "a_b_c 2*3*4 snake_case_name"),
        ("a &lt;b&gt; &amp; c\n\nd", "a <b> & c d"),
        (date(AT), "today 18:00"),
        (date(AT + 86400), "tomorrow 18:00"),
        (date(AT - 86400), "yesterday 18:00"),
        (date(AT + 3 * 86400), "3 Dec 2026 18:00"),
        (date(AT, "{date_num} {time_secs} {unknown}"), "2026-11-30 18:00:00 {unknown}"),
        ("<!date^soon^{time}|at some time>", "at some time"),
    ],
)
def test_marks_read_as_words(text: str, read: str) -> None:
    assert words(text, NAMES) == read


def test_no_message_that_the_bot_writes_keeps_a_mark() -> None:
    texts = re.findall(r'"text": "((?:[^"\\]|\\.)*)"', RECORDED.read_text("utf-8"))
    assert len(texts) > 100
    read = [words(json.loads(f'"{text}"'), NAMES) for text in texts]
    assert [text for text in read if re.search(r"<[@#!]|<https?:|\{date|&(lt|gt|amp);", text)] == []
