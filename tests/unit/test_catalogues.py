"""The catalogues of texts: complete, alike in every language, and in step with the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from chatops.domain import text_keys
from chatops.messages import catalogue, en, ko
from chatops.settings import config

LAMBDAS = Path(__file__).resolve().parents[2] / "lambdas"
LANGUAGES = {"en": en.TEXTS, "ko": ko.TEXTS}
SPEAKERS = frozenset({"say", "plain", "Refusal", "Mistake", "_button"})
"""What takes a catalogue key as its first argument."""


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@cache
def trees() -> tuple[ast.Module, ...]:
    """The code that speaks: everything but the catalogues themselves."""
    files = [p for p in LAMBDAS.rglob("*.py") if not re.match(r"(en|ko)(_\w+)?\.py|text_keys\.py", p.name)]
    return tuple(ast.parse(p.read_text("utf-8")) for p in files)


def literals(node: ast.AST) -> Iterator[str]:
    """Every string that this expression may be: both sides of a choice."""
    if isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def calls() -> Iterator[ast.Call]:
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in SPEAKERS:
                    yield node


def given(call: ast.Call) -> set[str] | None:
    """The names of the values that a call hands over; None where that is only known when it runs."""
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    names = {str(keyword.arg) for keyword in call.keywords}
    for argument in call.args[1:]:
        if not isinstance(argument, ast.Dict) or not all(isinstance(k, ast.Constant) for k in argument.keys):
            return None
        names |= {str(k.value) for k in argument.keys if isinstance(k, ast.Constant)}
    return names


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_has_the_same_keys_and_placeholders_as_english(code: str) -> None:
    texts = LANGUAGES[code]
    assert list(texts) == list(en.TEXTS), "in the same order, so that the two can be read side by side"
    assert {k for k in texts if placeholders(texts[k]) != placeholders(en.TEXTS[k])} == set()


def test_the_keys_that_mypy_knows_are_those_of_the_catalogues() -> None:
    """So it finds every key in the code that does not exist. The languages that may be chosen are those, too."""
    assert set(get_args(text_keys.TextKey)) == set(en.TEXTS)
    assert set(config.LANGUAGES) == set(LANGUAGES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_text_is_empty_or_has_braces_or_marks_without_their_other_half_or_links(code: str) -> None:
    for key, text in LANGUAGES[code].items():
        assert text.strip(), key
        assert not set("<>&") & set(text), f"{key}: Slack reads <…> as a link or a mention, even inside a code span"
        bare = re.sub(r"\{\w+\}|\{\"command\"[^}]*\}", "", text)
        assert not set("{}") & set(bare), key
        assert bare.count("`") % 2 == 0, key
        assert re.sub(r"`[^`]*`", "", bare).count("*") % 2 == 0, key


@pytest.mark.parametrize("code", LANGUAGES)
def test_commands_settings_and_ids_are_not_translated(code: str) -> None:
    """Whatever stands in a code span in English, and is more than a value, stands there in every language."""
    for key, text in en.TEXTS.items():
        spans = [s for s in re.findall(r"`([^`]+)`", text) if re.search(r"[A-Za-z]", re.sub(r"\{\w+\}", "", s))]
        missing = [s for s in spans if f"`{s}`" not in LANGUAGES[code][key]]
        assert missing == [], key


def test_no_key_is_left_that_nobody_uses() -> None:
    nodes = (node for tree in trees() for node in ast.walk(tree))
    written = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert set(en.TEXTS) - written == set()


def test_whoever_says_something_hands_over_every_value_that_it_mentions() -> None:
    """A value that is missing would be shown as nothing, which nobody would notice."""
    looked_at = 0
    for call in calls():
        if (names := given(call)) is None or getattr(call.func, "id", "") == "_button":
            continue
        for key in literals(call.args[0]):
            looked_at += 1
            assert placeholders(en.TEXTS[key]) <= names, f"line {call.lineno}: {ast.unparse(call)}"
    assert looked_at > 50


def test_korean_reads_well_with_any_value() -> None:
    """No particle that depends on the sound of the value before it (을/를, 이/가, …), not even both of them; and no
    letter right behind `code` or *bold*, where Slack would show the marks instead of the format."""
    for key, text in ko.TEXTS.items():
        assert not re.search(r"\}[`*]*\s?(?:을|를|이|가|은|는|과|와|로|으로|라|이라|이며|이고)(?!\w)", text), key
        assert not re.search(r"\}[`*]*\s?(?:을|를|이|가|은|는|과|와|으?로)\(", text), key
        assert not re.search(
            r"을\(를\)|를\(을\)|이\(가\)|가\(이\)|은\(는\)|는\(은\)|\(으\)로|와\(과\)|과\(와\)", text
        ), key
        behind = re.findall(r"`[^`]+`(.)", text) + re.findall(r"\*[^*]+\*(.)", re.sub(r"`[^`]*`", "", text))
        assert not [c for c in behind if c.isalnum()], key


def test_korean_is_polite_throughout() -> None:
    """Sentences end in -니다 or -세요; none in plain style."""
    for key, text in ko.TEXTS.items():
        assert not re.search(r"(?<!니)다[.](?:\s|$)", text), key


@pytest.mark.parametrize("value", [None, "", "ko", "KO", " ko "])
def test_chatops_lang_switches_what_is_said_from_english(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("CHATOPS_LANG", raising=False)
    if value is not None:
        monkeypatch.setenv("CHATOPS_LANG", value)
    if not value:
        assert catalogue.say("excluded_bot") == "Bots can't deploy."
        return
    assert catalogue.language() == "ko"
    assert catalogue.say("excluded_bot") == "봇은 배포할 수 없습니다."
    assert catalogue.plain("approve") == "승인"
    assert catalogue.mention("") == "운영자"
