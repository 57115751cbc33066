"""What people type after a slash command, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatops.domain.command_text import (
    REASON_LIMIT,
    Command,
    is_version,
    parse_deploy,
    parse_rollback,
    parse_status,
)
from chatops.domain.typed_text import unescaped

TARGETS = ["dev", "prod"]
Parse = Callable[[str, list[str]], Command]
PARSERS: tuple[Parse, ...] = (parse_deploy, parse_rollback, parse_status)
deploy, rollback, status, history, cancel, lock, unlock = (
    partial(Command, action) for action in ("deploy", "rollback", "status", "history", "cancel", "lock", "unlock")
)
HELP = Command("help")


def mistake(found: Command) -> tuple[str, dict[str, Any]]:
    """The key and the values of what is wrong."""
    assert found.mistake is not None
    return found.mistake.key, dict(found.mistake.values)


DEPLOYS: dict[str, Command] = {
    # the words are told apart by kind, in any order
    "": deploy(),
    "v1.2.3": deploy("v1.2.3"),
    "prod": deploy(target="prod"),
    "v1.2.3 prod": deploy("v1.2.3", "prod"),
    "prod v1.2.3": deploy("v1.2.3", "prod"),
    "prod v1.2.3 prod": deploy("v1.2.3", "prod"),
    "--dry-run prod v1.2.3": deploy("v1.2.3", "prod", dry_run=True),
    "prod --dry-run v1.2.3": deploy("v1.2.3", "prod", dry_run=True),
    "  PROD\t v1.2.3\n--DRY-RUN ": deploy("v1.2.3", "prod", dry_run=True),
    "v1.2.3\u00a0prod": deploy("v1.2.3", "prod"),
    "3f2a91c": deploy("3f2a91c"),
    "release/2026.1+build.7": deploy("release/2026.1+build.7"),
    "stable": deploy("stable"),
    # subcommands, also those with a command of their own
    "history": history(),
    "History PROD": history(target="prod"),
    "cancel": cancel(),
    "cancel d-abc234def567": cancel(deployment_id="d-abc234def567"),
    "cancel hot.fix_2026@1": cancel(deployment_id="hot.fix_2026@1"),
    "unlock": unlock(),
    "Unlock PROD": unlock(target="prod"),
    "status dev": status(target="dev"),
    "rollback dev v1.2.2 slow": rollback("v1.2.2", "dev", "slow"),
    "deploy v1.2.3 dev": deploy("v1.2.3", "dev"),
    # a lock has a target, an end and a reason
    "lock prod for 2h database migration": lock(target="prod", seconds=7200, reason="database migration"),
    "lock for 2h prod database migration": lock(target="prod", seconds=7200, reason="database migration"),
    "lock prod 2h database migration": lock(target="prod", seconds=7200, reason="database migration"),
    "lock PROD For 30 Minutes it is *slow*": lock(target="prod", seconds=1800, reason="it is *slow*"),
    "lock prod for 1h30m x": lock(target="prod", seconds=5400, reason="x"),
    "lock prod for 1 day 12 hours audit": lock(target="prod", seconds=129_600, reason="audit"),
    "lock prod for 90d audit": lock(target="prod", seconds=90 * 86_400, reason="audit"),
    "lock prod for maintenance": lock(target="prod", reason="for maintenance"),
    "lock prod until the audit is over": lock(target="prod", reason="until the audit is over"),
    "lock database migration": lock(reason="database migration"),
    "lock checkout is broken in prod": lock(target="prod", reason="checkout is broken in prod"),
    "lock prod v1.2.3 leaks, wait for v1.2.4": lock(target="prod", reason="v1.2.3 leaks, wait for v1.2.4"),
    "lock prod 503 everywhere": lock(target="prod", reason="503 everywhere"),
    "lock prod @dana asked for it": lock(target="prod", reason="@dana asked for it"),
    "lock prod " + "x" * 10_000: lock(target="prod", reason="x" * REASON_LIMIT),
}
ROLLBACKS: dict[str, Command] = {
    # version and target in either order, and then a reason
    "": rollback(),
    "prod": rollback(target="prod"),
    "v1.2.2 prod too slow": rollback("v1.2.2", "prod", "too slow"),
    "prod v1.2.2 too slow": rollback("v1.2.2", "prod", "too slow"),
    "main@abcdefa prod it is slow": rollback("main@abcdefa", "prod", "it is slow"),
    "prod login broken since v1.2.3 came": rollback(target="prod", reason="login broken since v1.2.3 came"),
    "prod don't ask": rollback(target="prod", reason="don't ask"),
    "prod “smart” \u2013 really": rollback(target="prod", reason="“smart” \u2013 really"),
    'prod "login broken"': rollback(target="prod", reason='"login broken"'),
    "prod prod is down": rollback(target="prod", reason="prod is down"),
    "prod @dana says it is slow": rollback(target="prod", reason="@dana says it is slow"),
    "prod " + "so slow " * 200: rollback(target="prod", reason=("so slow " * 200)[:REASON_LIMIT].strip()),
    # a target named only within the reason is the target
    "login broken in prod": rollback(target="prod", reason="login broken in prod"),
    # a dry run is never mistaken for the reason
    "prod --dry-run": rollback(target="prod", dry_run=True),
    "prod too slow --dry-run": rollback(target="prod", reason="too slow", dry_run=True),
    "—dry-run prod too slow": rollback(target="prod", reason="too slow", dry_run=True),
    # a subcommand starts no rollback, and a reason may begin with one
    "cancel": cancel(),
    "cancel d-abc234def567": cancel(deployment_id="d-abc234def567"),
    "history prod": history(target="prod"),
    "status": status(),
    "prod lock contention": rollback(target="prod", reason="lock contention"),
    **{
        f"{reason} in prod": rollback(target="prod", reason=f"{reason} in prod")
        for reason in (
            *("cancel button is broken", "history shows nothing", "status 500 everywhere", "deploy broke it"),
            "lock contention",
        )
    },
}
STATUSES: dict[str, Command] = {
    "": status(),
    "Prod": status(target="prod"),
    "prod prod": status(target="prod"),
    "history dev": history(target="dev"),
}
UNDERSTOOD = [
    pytest.param(parse, text, meant, id=f"{parse.__name__} {text[:60]!r}")
    for parse, rows in ((parse_deploy, DEPLOYS), (parse_rollback, ROLLBACKS), (parse_status, STATUSES))
    for text, meant in rows.items()
]


@pytest.mark.parametrize(("parse", "text", "meant"), UNDERSTOOD)
def test_what_is_typed_is_understood(parse: Parse, text: str, meant: Command) -> None:
    assert parse(text, TARGETS) == meant


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("text", ["help", "HELP", "help me", "--help", "-h", "\u2014help"])
def test_every_command_has_help(parse: Parse, text: str) -> None:
    assert parse(text, TARGETS) == HELP


PROD = {"word": "prdo", "meant": "prod"}
MISTAKES: list[tuple[Parse, str, str, dict[str, str] | None]] = [
    (parse_deploy, "v1.2.3 --force", "unknown_option", {"word": "--force"}),
    (parse_rollback, "--force", "unknown_option", {"word": "--force"}),
    # a target mistyped
    (parse_deploy, "v1.2.3 prdo", "unknown_target", PROD),
    (parse_deploy, "prdo v1.2.3", "unknown_target", PROD),
    (parse_deploy, "prdo", "unknown_target", PROD),
    (parse_deploy, "v1.2.3 Prodd", "unknown_target", {"word": "Prodd", "meant": "prod"}),
    (parse_deploy, "history prdo", "unknown_target", PROD),
    (parse_deploy, "unlock prdo", "unknown_target", PROD),
    (parse_status, "prdo", "unknown_target", PROD),
    # taken for the reason's first word, it would have sent the default target back instead
    (parse_rollback, "prdo", "unknown_target", PROD),
    (parse_rollback, "prdo it is slow", "unknown_target", PROD),
    (parse_rollback, "v1.2.2 prdo it is slow", "unknown_target", PROD),
    # a word that resembles no target is answered with the targets
    (parse_deploy, "v1.2.3 qqq", "unknown_word", {"word": "qqq", "targets": "dev, prod"}),
    (parse_deploy, "qqq v1.2.3", "unknown_word", {"word": "qqq", "targets": "dev, prod"}),
    (parse_deploy, "history v1.2.3", "unknown_word", {"word": "v1.2.3", "targets": "dev, prod"}),
    (parse_status, "prod v1.2.3", "unknown_word", {"word": "v1.2.3", "targets": "dev, prod"}),
    *((parse, "dev prod", "two_targets", {"target": "dev", "word": "prod"}) for parse in PARSERS),
    (parse_rollback, "works in dev, broken in prod but dev is fine", "two_targets", None),
    *((parse_deploy, text, "bad_id", None) for text in ("cancel a b", "cancel a;b", "cancel " + "x" * 81)),
    # an end that became part of the reason would leave the target locked, and nobody would notice
    (parse_deploy, "lock", "lock_reason", None),
    (parse_deploy, "lock prod", "lock_reason", None),
    (parse_deploy, "lock prod for 2h", "lock_reason", None),
    (parse_deploy, "lock prod for 2h \u200b \u3164", "lock_reason", None),
    (parse_deploy, "lock prod for 0m x", "lock_duration", None),
    (parse_deploy, "lock prod 0m x", "lock_duration", None),
    (parse_deploy, "lock prod for -1h x", "lock_duration", None),
    (parse_deploy, "lock prod for 1000d x", "lock_duration", None),
    (parse_deploy, "lock prod for 999999999999h x", "lock_duration", None),
    (parse_deploy, "lock prod for 1.5h x", "lock_duration", None),
    (parse_deploy, "lock prod for 2 fortnights x", "lock_duration", None),
    (parse_deploy, "lock prod for an hour x", "lock_duration", None),
    (parse_deploy, "lock prod until 18:00 x", "lock_until", None),
    (parse_deploy, "lock until tomorrow x", "lock_until", None),
    (parse_deploy, "lock prod migration for 2h", "lock_end_last", None),
    (parse_deploy, "lock prod migration until 18:00", "lock_end_last", None),
    (parse_deploy, "lock prdo migration", "unknown_target", None),
    (parse_deploy, "lock prod dev migration", "two_targets", None),
    (parse_deploy, "lock prod --force x", "unknown_option", None),
]


@pytest.mark.parametrize(("parse", "text", "key", "values"), MISTAKES)
def test_a_mistake_is_named(parse: Parse, text: str, key: str, values: dict[str, str] | None) -> None:
    found = mistake(parse(text, TARGETS))
    assert found == (key, found[1] if values is None else values)


HOSTILE = [
    *("$(reboot)", "v1.2.3;reboot", "v1|cat", "v1&&id", "v1>out", "v1\\n", "v1\x00", "../../etc", "v1/../../x"),
    *("v1//2", "v1/", "v" + "1" * 299, "v1.2.3\u202egnp", "\u04751.2.3"),
]


@pytest.mark.parametrize("word", HOSTILE)
def test_a_version_outside_the_allow_list_is_a_mistake_in_every_command(word: str) -> None:
    assert not is_version(word)
    for found in (parse_deploy(f"{word} prod", TARGETS), parse_rollback(f"prod {word}", TARGETS)):
        key, values = mistake(found)
        assert key == "bad_version"
        assert len(values["word"]) <= 80
    assert mistake(parse_rollback("v1.2.2;reboot too slow", TARGETS))


@pytest.mark.parametrize(
    "option",
    [
        *("--dry-run", "\u2014dry-run", "\u2013dry-run", "\u2212\u2212dry-run", "\u2013\u2013dry-run", "-dry-run"),
        *("\u2011\u2011dry\u2011run", "\uff0d\uff0ddry-run", "\u2014dry\u2013run", "`--dry-run`"),
    ],
)
def test_the_dashes_that_slack_makes_of_two_hyphens_are_an_option_all_the_same(option: str) -> None:
    assert parse_deploy(f"v1.2.3 {option}", TARGETS) == deploy("v1.2.3", dry_run=True)


DECORATED = """v1.2.3\u200b \ufeffv1.2.3 \u200ev1.2.3 v1.\u00ad2.3 \u2066v1.2.3\u2069 `v1.2.3` `v1.2.3 “v1.2.3” 'v1.2.3'
    *v1.2.3* _v1.2.3_ ~v1.2.3~ *`v1.2.3`* 「v1.2.3」 v1.2.3, v1.2.3. (v1.2.3) &lt;v1.2.3&gt; ｖ１．２．３"""


@pytest.mark.parametrize("word", DECORATED.split())
def test_what_slack_keyboards_and_copying_put_around_a_word_is_taken_off(word: str) -> None:
    for text in (f"{word} prod", f"prod {word}", f"{word} *prod*`"):
        assert parse_deploy(unescaped(text), TARGETS) == deploy("v1.2.3", "prod")
        assert parse_rollback(unescaped(text), TARGETS) == rollback("v1.2.3", "prod")
    assert parse_status(f"“prod”{chr(0x200B)}", TARGETS) == status(target="prod")


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


def test_a_branch_that_a_target_admits_is_no_mistyped_target() -> None:
    branches = ["develop", "release/*"]
    assert parse_deploy("develop", TARGETS).mistake, "it resembles dev"
    assert parse_deploy("develop", TARGETS, branches) == deploy("develop")
    assert parse_deploy("dev develop", TARGETS, branches) == deploy("develop", "dev")
    assert parse_deploy("release/prod prod", TARGETS, branches) == deploy("release/prod", "prod")
    assert parse_deploy("prdo", TARGETS, branches).mistake


def test_a_target_may_bear_a_word_of_the_command_without_being_lost() -> None:
    assert parse_deploy("history", ["history", "dev"]) == deploy(target="history")


@pytest.mark.parametrize(
    ("reason", "perhaps_version"),
    [
        # the ledger is asked whether the first word is a version
        *((text, True) for text in ("5xx errors at checkout", "503 after login", "p99 latency doubled")),
        *((text, True) for text in ("2nd outage today", "500s since noon", "INC-4711 checkout down")),
        ("v2 of the api is broken", True),
        # no version looks like this
        *((text, False) for text in ("2차 장애", "#4711 again", "결제 장애", "too slow", "checkout is down")),
        # with one target, its name in a reason means nothing more
        *((text, False) for text in ("devastating errors", "it broke dev")),
    ],
)
def test_a_reason_may_begin_with_a_word_like_a_version(reason: str, perhaps_version: bool) -> None:
    assert parse_rollback(reason, ["dev"]) == rollback(reason=reason, version_in_reason=perhaps_version)
    assert parse_rollback(f"dev {reason}", ["dev"]) == rollback(
        target="dev", reason=reason, version_in_reason=perhaps_version
    )


@pytest.mark.parametrize("version", ["503", "5.1", "abc1234", "v2", "INC-4711"])
def test_alone_it_is_a_version(version: str) -> None:
    for text in (version, f"{version} dev", f"dev {version}", f"dev {version} --dry-run"):
        assert parse_rollback(text, ["dev"]).version == version


@pytest.mark.parametrize("version", ["v1.2.2", "1.2.2-rc.1", "v2.0", "3f2a91c"])
def test_what_can_only_be_a_version_is_one_whatever_follows(version: str) -> None:
    assert parse_rollback(f"{version} too slow", ["dev"]) == rollback(version, reason="too slow")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.lists(st.sampled_from(TARGETS), max_size=2, unique=True))
def test_whatever_is_typed_is_understood_or_a_mistake_and_never_an_unsafe_version(text: str, known: list[str]) -> None:
    for parse in PARSERS:
        asked = parse(text, known)
        assert asked.version == "" or is_version(asked.version)
        assert asked.target == "" or asked.target in known
        assert len(asked.reason) <= REASON_LIMIT
