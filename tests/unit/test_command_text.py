"""What people type after a slash command, and what is made of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatops.domain import command_text
from chatops.domain.command_text import Command, is_version, parse_deploy, parse_rollback, parse_status

TARGETS = ["dev", "prod"]
HOSTILE = [
    "$(reboot)",
    "v1.2.3;reboot",
    "`id`",
    '"v1.2.3"',
    "'v1.2.3'",
    "v1|cat",
    "v1&&id",
    "v1>out",
    "v1\\n",
    "v1\x00",
    "../../etc",
    "v1/../../x",
    "v1//2",
    "v1/",
    "v" + "1" * 299,
    "v1.2.3\u202egnp",
    "\u04751.2.3",
    "v\uff11",
]


@pytest.mark.parametrize(
    ("text", "version", "target", "dry_run"),
    [
        ("", "", "", False),
        ("v1.2.3", "v1.2.3", "", False),
        ("prod", "", "prod", False),
        ("v1.2.3 prod", "v1.2.3", "prod", False),
        ("prod v1.2.3", "v1.2.3", "prod", False),
        ("--dry-run prod v1.2.3", "v1.2.3", "prod", True),
        ("prod --dry-run v1.2.3", "v1.2.3", "prod", True),
        ("  PROD\t v1.2.3\n--DRY-RUN ", "v1.2.3", "prod", True),
        ("3f2a91c", "3f2a91c", "", False),
        ("release/2026.1+build.7", "release/2026.1+build.7", "", False),
        ("stable", "stable", "", False),
    ],
)
def test_the_words_of_a_deploy_are_told_apart_by_kind_in_any_order(
    text: str, version: str, target: str, dry_run: bool
) -> None:
    assert parse_deploy(text, TARGETS) == Command("deploy", version=version, target=target, dry_run=dry_run)


@pytest.mark.parametrize(
    "option", ["--dry-run", "\u2014dry-run", "\u2013dry-run", "\u2212\u2212dry-run", "\u2013\u2013dry-run", "-dry-run"]
)
def test_the_dashes_that_slack_makes_of_two_hyphens_are_an_option_all_the_same(option: str) -> None:
    asked = parse_deploy(f"v1.2.3 {option}", TARGETS)
    assert (asked.dry_run, asked.version, asked.mistake) == (True, "v1.2.3", None)


def test_a_space_that_does_not_break_separates_words_too() -> None:
    assert parse_deploy("v1.2.3\u00a0prod", TARGETS) == Command("deploy", version="v1.2.3", target="prod")


@pytest.mark.parametrize("word", HOSTILE)
def test_a_version_outside_the_allow_list_is_a_mistake_in_every_command(word: str) -> None:
    assert not is_version(word)
    for asked in (parse_deploy(f"{word} prod", TARGETS), parse_rollback(f"prod {word}", TARGETS)):
        assert asked.mistake is not None
        assert asked.mistake.key == "bad_version"
        assert len(asked.mistake.values["word"]) <= 80


def test_an_unknown_option_is_named() -> None:
    for asked in (parse_deploy("v1.2.3 --force", TARGETS), parse_rollback("--force", TARGETS)):
        assert asked.mistake is not None
        assert (asked.mistake.key, asked.mistake.values) == ("unknown_option", {"word": "--force"})


@pytest.mark.parametrize(
    ("text", "word"),
    [("v1.2.3 prdo", "prdo"), ("prdo v1.2.3", "prdo"), ("prdo", "prdo"), ("v1.2.3 Prodd", "Prodd")],
)
def test_a_target_mistyped_is_recognised(text: str, word: str) -> None:
    asked = parse_deploy(text, TARGETS)
    assert asked.mistake is not None
    assert (asked.mistake.key, asked.mistake.values) == ("unknown_target", {"word": word, "meant": "prod"})


@pytest.mark.parametrize("text", ["v1.2.3 qqq", "qqq v1.2.3"])
def test_a_word_that_resembles_no_target_is_answered_with_the_targets(text: str) -> None:
    asked = parse_deploy(text, TARGETS)
    assert asked.mistake is not None
    assert (asked.mistake.key, asked.mistake.values) == ("unknown_word", {"word": "qqq", "targets": "dev, prod"})


@pytest.mark.parametrize("parse", [parse_deploy, parse_rollback, parse_status])
def test_two_targets_are_one_too_many(parse: object) -> None:
    asked = parse("dev prod", TARGETS)  # type: ignore[operator]
    assert asked.mistake is not None
    assert (asked.mistake.key, asked.mistake.values) == ("two_targets", {"target": "dev", "word": "prod"})


def test_the_same_target_twice_is_that_target() -> None:
    assert parse_deploy("prod v1.2.3 prod", TARGETS) == Command("deploy", version="v1.2.3", target="prod")
    assert parse_status("prod prod", TARGETS) == Command("status", target="prod")


@pytest.mark.parametrize("parse", [parse_deploy, parse_rollback, parse_status])
@pytest.mark.parametrize("text", ["help", "HELP", "help me"])
def test_every_command_has_help(parse: object, text: str) -> None:
    assert parse(text, TARGETS) == Command("help")  # type: ignore[operator]


def test_history_and_status_take_a_target_and_nothing_else() -> None:
    assert parse_deploy("history", TARGETS) == Command("history")
    assert parse_deploy("History PROD", TARGETS) == Command("history", target="prod")
    assert parse_status("", TARGETS) == Command("status")
    assert parse_status("Prod", TARGETS) == Command("status", target="prod")
    for asked in (parse_deploy("history prdo", TARGETS), parse_status("prdo", TARGETS)):
        assert asked.mistake is not None
        assert asked.mistake.values == {"word": "prdo", "meant": "prod"}
    for asked in (parse_deploy("history v1.2.3", TARGETS), parse_status("prod v1.2.3", TARGETS)):
        assert asked.mistake is not None
        assert asked.mistake.values == {"word": "v1.2.3", "targets": "dev, prod"}


def test_cancel_takes_one_id_or_none() -> None:
    assert parse_deploy("cancel", TARGETS) == Command("cancel")
    assert parse_deploy("cancel d-abc234def567", TARGETS) == Command("cancel", deployment_id="d-abc234def567")
    assert parse_deploy("cancel hot.fix_2026@1", TARGETS).deployment_id == "hot.fix_2026@1"
    for text in ("cancel a b", "cancel a;b", "cancel " + "x" * 81):
        mistake = parse_deploy(text, TARGETS).mistake
        assert mistake is not None
        assert mistake.key == "bad_id"


def test_a_target_may_bear_a_word_of_the_command_without_being_lost() -> None:
    assert parse_deploy("history", ["history", "dev"]) == Command("deploy", target="history")


@pytest.mark.parametrize(
    ("text", "version", "target", "reason"),
    [
        ("", "", "", ""),
        ("prod", "", "prod", ""),
        ("v1.2.2 prod too slow", "v1.2.2", "prod", "too slow"),
        ("prod v1.2.2 too slow", "v1.2.2", "prod", "too slow"),
        ("prod login broken since v1.2.3 came", "", "prod", "login broken since v1.2.3 came"),
        ("prod don't ask", "", "prod", "don't ask"),
        ("prod “smart” \u2013 really", "", "prod", "“smart” - really"),
        ('prod "login broken"', "", "prod", '"login broken"'),
        ("prod prod is down", "", "prod", "prod is down"),
        ("prod <@U0DANA001> says it is slow", "", "prod", "<@U0DANA001> says it is slow"),
    ],
)
def test_a_rollback_has_version_and_target_in_either_order_and_then_a_reason(
    text: str, version: str, target: str, reason: str
) -> None:
    assert parse_rollback(text, TARGETS) == Command("rollback", version=version, target=target, reason=reason)


def test_a_reason_is_cut_at_its_limit() -> None:
    assert len(parse_rollback("prod " + "so slow " * 200, TARGETS).reason) == command_text.REASON_LIMIT


def test_a_target_mistyped_before_a_reason_rolls_nothing_back() -> None:
    """Taken for the reason's first word, it would have sent the default target back instead."""
    for text in ("prdo", "prdo it is slow", "v1.2.2 prdo it is slow"):
        mistake = parse_rollback(text, TARGETS).mistake
        assert mistake is not None
        assert mistake.values == {"word": "prdo", "meant": "prod"}


def test_a_target_named_only_within_the_reason_is_the_target() -> None:
    assert parse_rollback("login broken in prod", TARGETS) == Command(
        "rollback", target="prod", reason="login broken in prod"
    )
    mistake = parse_rollback("works in dev, broken in prod but dev is fine", TARGETS).mistake
    assert mistake is not None
    assert mistake.key == "two_targets"


def test_with_one_target_its_name_in_a_reason_means_nothing_more() -> None:
    assert parse_rollback("devastating errors", ["dev"]) == Command("rollback", reason="devastating errors")
    assert parse_rollback("it broke dev", ["dev"]) == Command("rollback", reason="it broke dev")


@pytest.mark.parametrize("text", ["prod --dry-run", "prod too slow --dry-run", "—dry-run prod too slow"])
def test_a_dry_run_of_a_rollback_is_never_mistaken_for_its_reason(text: str) -> None:
    asked = parse_rollback(text, TARGETS)
    assert (asked.dry_run, asked.target, asked.mistake) == (True, "prod", None)
    assert "dry" not in asked.reason


def test_a_command_word_after_rollback_starts_no_rollback() -> None:
    assert parse_rollback("cancel", TARGETS) == Command("cancel")
    assert parse_rollback("cancel d-abc234def567", TARGETS).action == "cancel"
    assert parse_rollback("history prod", TARGETS) == Command("history", target="prod")


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=60), st.lists(st.sampled_from(TARGETS), max_size=2, unique=True))
def test_whatever_is_typed_is_understood_or_a_mistake_and_never_an_unsafe_version(text: str, known: list[str]) -> None:
    for parse in (parse_deploy, parse_rollback, parse_status):
        asked = parse(text, known)
        assert asked.version == "" or is_version(asked.version)
        assert asked.target == "" or asked.target in known
        assert len(asked.reason) <= command_text.REASON_LIMIT


@pytest.mark.parametrize("reason", ["5xx errors at checkout", "503 after login", "p99 latency doubled", "5XX on prod"])
def test_a_symptom_begins_a_reason_and_is_no_version(reason: str) -> None:
    asked = command_text.parse_rollback(reason, ["dev"])
    assert (asked.version, asked.reason, asked.mistake) == ("", reason, None)


@pytest.mark.parametrize("version", ["503", "5.1", "abc1234", "v2"])
def test_alone_or_in_a_versions_form_it_is_one(version: str) -> None:
    assert command_text.parse_rollback(version, ["dev"]).version == version
