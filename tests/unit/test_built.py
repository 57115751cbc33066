"""What is deployed, and nothing else: each function starts from its artefacts under Lambda's own runtime client, and
answers its first event in time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import built as artefacts
from bench import first_calls, limits
from bench.built import FUNCTIONS, Built
from bench.first_calls import KINDS, FirstCall
from bench.runtime_api import Answer, Function, NotStartedError
from scripts import bytecode

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(artefacts.missing()), reason=artefacts.missing()),
]


def contents(made: Built) -> dict[str, bytes]:
    """All files by their path."""
    return {str(path.relative_to(made.folder)): path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}


def test_two_builds_are_the_same_and_hold_all_bytecode(built: Built, tmp_path: Path) -> None:
    again = artefacts.build(tmp_path / "another" / "place")
    found = contents(built)
    assert found == contents(again)
    assert bytecode.problems(built.layer, bytecode.LAYER) == []
    for name in FUNCTIONS:
        assert bytecode.problems(built.function(name), bytecode.FUNCTION) == []
    here = str(built.folder).encode()
    assert [path for path, content in found.items() if here in content] == []


def test_a_process_sees_its_artefacts_only(built: Built, tmp_path: Path) -> None:
    """Without the layer nothing is found: not in this environment, not in this repository."""
    (tmp_path / "var").symlink_to(built.folder / "var")
    with Function(Built(tmp_path), "slack", {}) as function, pytest.raises(NotStartedError, match="No module named"):
        function.started()


@pytest.fixture
def found(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, FirstCall]]:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    with first_calls.deployments(built, tmp_path) as calls:
        yield calls.found


def test_every_function_answers_its_first_event_and_in_time(found: dict[str, FirstCall]) -> None:
    assert sorted(found) == sorted(KINDS)
    assert {one.function for one in found.values()} == set(FUNCTIONS)
    assert {kind: one.error for kind, one in found.items() if one.error} == {}
    assert [kind for kind, one in found.items() if "left to the handler" in one.log] == []
    behind = ("slack", "stage")  # API Gateway: a refusal is an answer as well
    status = {kind: one.answer.payload["statusCode"] for kind, one in found.items() if one.function in behind}
    assert {kind: found for kind, found in status.items() if found != 200} == {}
    late = {kind: f"{one.used:.3f} s of {one.limit:.3f}" for kind, one in found.items() if one.used > one.limit}
    assert late == {}
    command = found["slack command"]
    assert command.used <= limits.limit(limits.COMMAND_SECONDS, command.memory_mb)
    assert limits.used(command.init_seconds, command.calibration) <= limits.limit(limits.COMMAND_START, limits.WHOLE)


@pytest.mark.parametrize(
    ("function", "error", "failed"),
    [("park", "AlreadyAwake", False), ("park", "KeyError", True), ("poll", "AlreadyAwake", True)],
)
def test_a_report_between_poll_and_park_is_no_failure(function: str, error: str, failed: bool) -> None:
    """AlreadyAwake is how `park` says it: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""
    call = FirstCall(function, {}, 0.5, Answer(None, {"errorType": error}, 0.01), "", limits.CALIBRATION, 512)
    assert bool(call.error) is failed


def test_the_limit_is_lambdas_share_of_a_processor_and_a_slower_machine_may_take_longer() -> None:
    assert limits.limit(1.0, 512) == pytest.approx(0.170, abs=0.001)
    assert limits.limit(3.0, 4096) == pytest.approx(3.0 / 1.7)
    for seconds, late in ((0.26, False), (0.28, True)):
        answer = Answer({}, None, seconds)
        call = FirstCall("slack", {}, 0.5, answer, "", calibration=2 * limits.CALIBRATION, memory_mb=512)
        assert (call.used > call.limit) is late
