"""What people type after a slash command, and what is made of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatops.domain import command_text
from chatops.domain.command_text import Command, is_version, parse_deploy, parse_rollback, parse_status
from chatops.domain.typed_text import unescaped

TARGETS = ["dev", "prod"]
HOSTILE = [
    "$(reboot)",
    "v1.2.3;reboot",
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
    "option",
    [
        *("--dry-run", "\u2014dry-run", "\u2013dry-run", "\u2212\u2212dry-run", "\u2013\u2013dry-run", "-dry-run"),
        *("\u2011\u2011dry\u2011run", "\uff0d\uff0ddry-run", "\u2014dry\u2013run", "`--dry-run`"),
    ],
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


DECORATED = """v1.2.3\u200b \ufeffv1.2.3 \u200ev1.2.3 v1.\u00ad2.3 \u2066v1.2.3\u2069 `v1.2.3` `v1.2.3 “v1.2.3” 'v1.2.3'
    *v1.2.3* _v1.2.3_ ~v1.2.3~ *`v1.2.3`* 「v1.2.3」 v1.2.3, v1.2.3. (v1.2.3) &lt;v1.2.3&gt; ｖ１．２．３"""


@pytest.mark.parametrize("word", DECORATED.split())
def test_what_slack_keyboards_and_copying_put_around_a_word_is_taken_off(word: str) -> None:
    for text in (f"{word} prod", f"prod {word}", f"{word} *prod*`"):
        assert parse_deploy(unescaped(text), TARGETS) == Command("deploy", version="v1.2.3", target="prod")
        assert parse_rollback(unescaped(text), TARGETS) == Command("rollback", version="v1.2.3", target="prod")
    assert parse_status(f"“prod”{chr(0x200B)}", TARGETS) == Command("status", target="prod")


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("<http://v1.2.3.dev|v1.2.3.dev>", "v1.2.3.dev"),
        ("<@U0KIM0001|kim> asked", "@kim asked"),
        ("<@U0KIM0001> asked", "@U0KIM0001 asked"),
        ("see <#C0OPS0001|ops>", "see #ops"),
        ("<!here> <!channel> down", "@here @channel down"),
        ("<!subteam^S0SRE0001|@sre> agreed", "@sre agreed"),
        ("<https://status.example.com/1>", "https://status.example.com/1"),
        ("<mailto:kim@example.com|kim@example.com>", "kim@example.com"),
        ("a &lt;@U0KIM0001&gt; &amp;lt; b", "a <@U0KIM0001> &lt; b"),
    ],
)
def test_a_mention_a_channel_or_a_link_is_its_label(typed: str, text: str) -> None:
    """As Slack sends them where a command escapes: https://docs.slack.dev/interactivity/implementing-slash-commands"""
    assert unescaped(typed) == text


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


def test_a_branch_that_a_target_admits_is_no_mistyped_target() -> None:
    branches = ["develop", "release/*"]
    assert parse_deploy("develop", TARGETS).mistake, "it resembles dev"
    assert parse_deploy("develop", TARGETS, branches) == Command("deploy", version="develop")
    assert parse_deploy("dev develop", TARGETS, branches) == Command("deploy", version="develop", target="dev")
    assert parse_deploy("release/prod prod", TARGETS, branches) == Command(
        "deploy", version="release/prod", target="prod"
    )
    assert parse_deploy("prdo", TARGETS, branches).mistake
    assert parse_rollback("main@abcdefa prod it is slow", TARGETS) == Command(
        "rollback", version="main@abcdefa", target="prod", reason="it is slow"
    )


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


LOCKS: dict[str, tuple[str, int, str]] = {
    "prod for 2h database migration": ("prod", 7200, "database migration"),
    "for 2h prod database migration": ("prod", 7200, "database migration"),
    "prod 2h database migration": ("prod", 7200, "database migration"),
    "PROD For 30 Minutes it is *slow*": ("prod", 1800, "it is *slow*"),
    "prod for 1h30m x": ("prod", 5400, "x"),
    "prod for 1 day 12 hours audit": ("prod", 129_600, "audit"),
    "prod for 90d audit": ("prod", 90 * 86_400, "audit"),
    "prod for maintenance": ("prod", 0, "for maintenance"),
    "prod until the audit is over": ("prod", 0, "until the audit is over"),
    "database migration": ("", 0, "database migration"),
    "checkout is broken in prod": ("prod", 0, "checkout is broken in prod"),
    "prod v1.2.3 leaks, wait for v1.2.4": ("prod", 0, "v1.2.3 leaks, wait for v1.2.4"),
    "prod 503 everywhere": ("prod", 0, "503 everywhere"),
    "prod @dana asked for it": ("prod", 0, "@dana asked for it"),
    "prod " + "x" * 10_000: ("prod", 0, "x" * command_text.REASON_LIMIT),
}
UNCLEAR: dict[str, str] = {
    "": "lock_reason",
    "prod": "lock_reason",
    "prod for 2h": "lock_reason",
    "prod for 2h \u200b \u3164": "lock_reason",
    "prod for 0m x": "lock_duration",
    "prod 0m x": "lock_duration",
    "prod for -1h x": "lock_duration",
    "prod for 1000d x": "lock_duration",
    "prod for 999999999999h x": "lock_duration",
    "prod for 1.5h x": "lock_duration",
    "prod for 2 fortnights x": "lock_duration",
    "prod for an hour x": "lock_duration",
    "prod until 18:00 x": "lock_until",
    "until tomorrow x": "lock_until",
    "prod migration for 2h": "lock_end_last",
    "prod migration until 18:00": "lock_end_last",
    "prdo migration": "unknown_target",
    "prod dev migration": "two_targets",
    "prod --force x": "unknown_option",
}


@pytest.mark.parametrize("text", LOCKS)
def test_a_lock_has_a_target_an_end_and_a_reason(text: str) -> None:
    target, seconds, reason = LOCKS[text]
    assert parse_deploy(f"lock {text}", TARGETS) == Command("lock", target=target, seconds=seconds, reason=reason)


@pytest.mark.parametrize("text", UNCLEAR)
def test_a_lock_that_may_mean_something_else_locks_nothing(text: str) -> None:
    """An end that became part of the reason would leave the target locked, and nobody would notice."""
    mistake = parse_deploy(f"lock {text}", TARGETS).mistake
    assert mistake is not None
    assert mistake.key == UNCLEAR[text]


def test_unlock_takes_a_target_and_nothing_else() -> None:
    assert parse_deploy("unlock", TARGETS) == Command("unlock")
    assert parse_deploy("Unlock PROD", TARGETS) == Command("unlock", target="prod")
    mistake = parse_deploy("unlock prdo", TARGETS).mistake
    assert mistake is not None
    assert mistake.key == "unknown_target"


def test_lock_is_a_word_like_others_after_the_other_commands() -> None:
    assert parse_rollback("prod lock contention", TARGETS) == Command(
        "rollback", target="prod", reason="lock contention"
    )
    assert parse_rollback("lock contention in prod", TARGETS).action == "rollback"


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
        ("prod “smart” \u2013 really", "", "prod", "“smart” \u2013 really"),
        ('prod "login broken"', "", "prod", '"login broken"'),
        ("prod prod is down", "", "prod", "prod is down"),
        ("prod @dana says it is slow", "", "prod", "@dana says it is slow"),
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


@pytest.mark.parametrize(
    "reason",
    [
        *("5xx errors at checkout", "503 after login", "p99 latency doubled", "2nd outage today", "500s since noon"),
        *("INC-4711 checkout down", "v2 of the api is broken"),
    ],
)
def test_a_word_that_a_reason_may_begin_with_is_a_version_only_if_the_ledger_has_it(reason: str) -> None:
    for text in (reason, f"dev {reason}"):
        asked = parse_rollback(text, ["dev"])
        assert (asked.version, asked.reason, asked.version_in_reason, asked.mistake) == ("", reason, True, None)


@pytest.mark.parametrize("reason", ["2차 장애", "#4711 again", "결제 장애", "too slow", "checkout is down"])
def test_what_no_version_looks_like_begins_a_reason(reason: str) -> None:
    asked = parse_rollback(f"dev {reason}", ["dev"])
    assert (asked.version, asked.reason, asked.version_in_reason, asked.mistake) == ("", reason, False, None)


@pytest.mark.parametrize("version", ["503", "5.1", "abc1234", "v2", "INC-4711"])
def test_alone_it_is_a_version(version: str) -> None:
    for text in (version, f"{version} dev", f"dev {version}", f"dev {version} --dry-run"):
        assert parse_rollback(text, ["dev"]).version == version


@pytest.mark.parametrize("text", ["v1.2.2 too slow", "1.2.2-rc.1 too slow", "v2.0 too slow", "3f2a91c too slow"])
def test_what_can_only_be_a_version_is_one_whatever_follows(text: str) -> None:
    asked = parse_rollback(text, ["dev"])
    assert (asked.version, asked.reason, asked.version_in_reason) == (text.split(maxsplit=1)[0], "too slow", False)
    assert parse_rollback("v1.2.2;reboot too slow", ["dev"]).mistake is not None


def test_a_subcommand_may_be_typed_after_any_command() -> None:
    assert parse_deploy("status dev", TARGETS) == Command("status", target="dev")
    assert parse_deploy("rollback dev v1.2.2 slow", TARGETS) == parse_rollback("dev v1.2.2 slow", TARGETS)
    assert parse_deploy("deploy v1.2.3 dev", TARGETS) == Command("deploy", version="v1.2.3", target="dev")
    assert parse_rollback("status", TARGETS) == Command("status")
    assert parse_status("history dev", TARGETS) == Command("history", target="dev")
    for parse in (parse_deploy, parse_rollback, parse_status):
        for text in ("--help", "-h", "\u2014help", "HELP"):
            assert parse(text, TARGETS) == Command("help")


def test_a_reason_may_begin_with_a_subcommand() -> None:
    for reason in ("cancel button is broken", "history shows nothing", "status 500 everywhere", "deploy broke it"):
        asked = parse_rollback(f"{reason} in prod", TARGETS)
        assert (asked.action, asked.target, asked.reason) == ("rollback", "prod", f"{reason} in prod")
