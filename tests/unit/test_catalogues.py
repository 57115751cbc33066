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
from chatops.domain.errors import InvalidConfiguration
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


def shape(node: ast.JoinedStr) -> re.Pattern[str]:
    """The f-string as a pattern: `f"cancel_{said}"` is every key that begins with `cancel_`."""
    parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else r"\w+" for v in node.values]
    return re.compile("".join(parts))


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
    assert set(texts) == set(en.TEXTS)
    assert list(texts) == list(en.TEXTS), "the same order, so that the two can be read side by side"
    different = {k for k in texts if placeholders(texts[k]) != placeholders(en.TEXTS[k])}
    assert different == set()


def test_the_keys_that_mypy_knows_are_those_of_the_catalogues() -> None:
    assert set(get_args(text_keys.TextKey)) == set(en.TEXTS)


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_text_is_empty_or_has_braces_or_marks_without_their_other_half(code: str) -> None:
    for key, text in LANGUAGES[code].items():
        assert text.strip(), key
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


def test_languages_that_may_be_chosen_are_those_that_there_are() -> None:
    assert set(config.LANGUAGES) == set(LANGUAGES)


def test_every_key_that_the_code_names_exists() -> None:
    for call in calls():
        first = call.args[0]
        for key in literals(first):
            assert key in en.TEXTS, f"line {call.lineno}: {ast.unparse(call)}"
        if isinstance(first, ast.JoinedStr):
            assert any(shape(first).fullmatch(k) for k in en.TEXTS), ast.unparse(call)


def test_every_cause_that_the_code_names_exists() -> None:
    """`{"key": "why_…"}`: causes travel through the state machine and are only said at the end."""
    found = set()
    for tree in trees():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Reason"
                and node.args
            ):
                found |= set(literals(node.args[0]))
            elif isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                found |= {
                    k
                    for name, v in pairs
                    if isinstance(name, ast.Constant) and name.value == "key"
                    for k in literals(v)
                }
    assert "why_unfinished" in found
    assert found <= set(en.TEXTS)


def test_no_key_is_left_that_nobody_uses() -> None:
    words: set[str] = set()
    shapes: list[re.Pattern[str]] = []
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            elif isinstance(node, ast.JoinedStr) and re.search(r"[a-z]+_|_[a-z]+", shape(node).pattern):
                shapes.append(shape(node))
    unused = {k for k in en.TEXTS if k not in words and not any(s.fullmatch(k) for s in shapes)}
    assert unused == set()


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


@pytest.fixture
def language(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("CHATOPS_LANG", raising=False)
    return monkeypatch


def test_english_is_what_is_spoken_unless_something_else_is_set(language: pytest.MonkeyPatch) -> None:
    assert catalogue.say("excluded_bot") == "Bots can't deploy."
    language.setenv("CHATOPS_LANG", "")
    assert catalogue.say("excluded_bot") == "Bots can't deploy."


@pytest.mark.parametrize("value", ["ko", "KO", " ko "])
def test_chatops_lang_switches_what_is_said(language: pytest.MonkeyPatch, value: str) -> None:
    language.setenv("CHATOPS_LANG", value)
    assert catalogue.language() == "ko"
    assert catalogue.say("excluded_bot") == "봇은 배포할 수 없습니다."
    assert catalogue.plain("approve") == "승인"
    assert catalogue.mention("") == "운영자"


def test_a_language_that_there_is_none_of_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(InvalidConfiguration, match="CHATOPS_LANG is 'fr'; it should hold one of en, ko"):
        config.load({"CHATOPS_LANG": "fr", "CHATOPS_TABLE": "t", "CHATOPS_STATE_MACHINE_ARN": "a"})


@pytest.mark.parametrize("code", ["en", "ko"])
def test_no_text_holds_what_slack_would_take_for_a_link(code: str) -> None:
    """Slack reads `<…>` as a link or a mention, even inside a code span."""
    assert [key for key, text in catalogue.texts(code).items() if set("<>&") & set(text)] == []
