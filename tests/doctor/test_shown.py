"""What a person reads: the words beside the signs, the order of a failure's text, JSON, and never a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from doctor import __main__ as command
from doctor import local_run, show
from doctor.installation import Installation
from doctor.result import failed, ok, skipped, warning
from doctor.runner import Check, Finding, Scope, examine
from local.session import BOT_TOKEN, GITHUB_TOKEN, SIGNING_SECRET, Session
from tests.doctor.conftest import Look


@pytest.fixture(autouse=True)
def of_the_shared_run(made: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command looks at the local run that all tests here share."""

    @contextmanager
    def started(fault: str = "", target: str = "") -> Iterator[Installation]:
        from local.misconfigured import FAULTS

        env: dict[str, str] = {}
        if fault:
            FAULTS[fault].apply(made, env)
        yield local_run.described(made, env, target)

    monkeypatch.setattr(local_run, "started", started)


def test_a_failure_says_what_is_wrong_then_what_it_causes_then_what_to_do() -> None:
    lines = show.lines(Finding("workflow", "dev", failed("It is gone.", "Nothing runs.", "Put it back.", "https://x")))
    assert lines == [
        "✗ failed   workflow [dev]: It is gone.",
        "             It causes:  Nothing runs.",
        "             What to do: Put it back.",
        "             See:        https://x",
    ]
    results = [ok("a"), warning("b", "c", "d"), failed("e", "f", "g"), skipped("h")]
    firsts = [show.lines(Finding("check", "", result))[0].split()[:2] for result in results]
    assert firsts == [["✓", "ok"], ["!", "warning"], ["✗", "failed"], ["–", "skipped"]]  # noqa: RUF001 - the sign


def test_the_command_ends_with_zero_when_all_is_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--local"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("0 failed, 0 warning, ")
    assert all(not line or line.startswith(("✓ ok ", "– skipped ", " ", "0 failed")) for line in out.splitlines())  # noqa: RUF001 - the sign


def test_the_command_ends_with_one_when_something_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--fault", "actions-switched-off", "--quiet"]) == 1
    out = capsys.readouterr().out
    assert "✗ failed   Actions [acme/checkout-api]: GitHub Actions is switched off" in out
    assert "It causes:" in out
    assert "✓" not in out
    assert out.splitlines()[-1].startswith("1 failed, ")


def test_json_holds_every_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--fault", "no-workflow", "--target", "dev", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    (wrong,) = [finding for finding in told["findings"] if finding["state"] == "failed"]
    assert (wrong["check"], wrong["subject"]) == ("workflow", "dev")
    assert all(wrong[part] for part in ("found", "causes", "todo", "link"))
    assert {finding["subject"] for finding in told["findings"]} == {"", "acme/checkout-api", "dev"}


def test_an_unknown_target_or_fault_is_told_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--local", "--target", "prod"]) == 2
    assert "the targets are: dev, staging, batch, vm" in capsys.readouterr().err
    assert command.main(["--fault", "nonsense"]) == 2
    assert command.main(["--fault", "list"]) == 0
    assert "no-workflow" in capsys.readouterr().out.split()


@pytest.mark.slow
def test_no_secret_is_shown_whoever_repeats_it(look: Look, made: Session, capsys: pytest.CaptureFixture[str]) -> None:
    for given in (["--local"], ["--fault", "bot-token-is-a-users"], ["--fault", "github-token-broken-in-two"]):
        command.main(given)
        command.main([*given, "--json"])
    out = capsys.readouterr().out
    for secret in (BOT_TOKEN, GITHUB_TOKEN, SIGNING_SECRET, "xoxp-of-a-user", "ghp_lo cal"):
        assert secret not in out
    assert show.concealed(f"it said {SIGNING_SECRET}!", [SIGNING_SECRET, ""]) == "it said …!"


def test_a_check_that_breaks_does_not_stop_the_others(made: Session) -> None:
    def breaks(_: Installation, __: str) -> list[object]:
        raise RuntimeError(f"with {BOT_TOKEN} in its text")

    checks = (Check("a", Scope.INSTALLATION, breaks), Check("b", Scope.INSTALLATION, lambda *_: [ok("fine")]))  # type: ignore[arg-type]
    found = list(examine(local_run.described(made), checks))
    assert [finding.result.state for finding in found] == ["failed", "ok"]
    assert "RuntimeError" in found[0].result.found
    assert BOT_TOKEN not in repr(found)


def test_what_needs_a_failed_check_is_left_out(made: Session) -> None:
    checks = (
        Check("a", Scope.REPOSITORY, lambda *_: [failed("x", "y", "z")]),
        Check("b", Scope.TARGET, lambda *_: [ok("fine")], ("a",)),
        Check("c", Scope.TARGET, lambda *_: [ok("fine")], ("b",)),
        Check("d", Scope.TARGET, lambda *_: [ok("fine")]),
    )
    found = list(examine(local_run.described(made, target="dev"), checks))
    assert [(one.check, str(one.result.state)) for one in found] == [
        ("a", "failed"),
        ("b", "skipped"),
        ("c", "skipped"),
        ("d", "ok"),
    ]
