"""What the Slack edge answers to each kind of request, exactly: status, words, and how little it waits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time as real_time
from typing import Any

import pytest

from chatops import http
from chatops.domain.errors import InvalidConfiguration, UnknownSchema
from chatops.edge import BUDGET, PATIENCE, commands, handler, interactions
from chatops.edge.signature import plausible, verified
from chatops.messages.catalogue import say
from chatops.network import deadline
from chatops.observability import logger
from chatops.settings import secrets
from tests.unit.test_edge import NOW, SECRET, event, headers, signed

UNSIGNED = '{"message": "The request\'s signature does not hold."}'
JSON = {"content-type": "application/json"}
VERIFY = b'{"type":"url_verification","challenge":"test123"}'


def answered(given: Any) -> tuple[int, str]:
    answer = handler.handle(given)
    return answer["statusCode"], answer["body"]


def shown(answer: dict[str, Any]) -> str:
    """The words that only the person who asked sees."""
    assert (answer["statusCode"], answer["headers"]) == (200, JSON)
    body = json.loads(answer["body"])
    assert body["response_type"] == "ephemeral"
    assert set(body) == {"response_type", "text"}
    return str(body["text"])


# -- the signature ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "good"), [("9" * 12, True), ("9" * 13, False)])
def test_a_timestamp_has_at_most_twelve_digits(at: str, good: bool) -> None:
    """Longer ones are no seconds of any clock, and Python is slow at numbers of thousands of digits."""
    assert plausible(headers(b"x", at), float(at)) is good
    assert verified(headers(b"x", at), b"x", SECRET, float(at)) is good


@pytest.mark.parametrize("missing", ["x-slack-request-timestamp", "x-slack-signature"])
def test_without_either_header_nothing_is_plausible(missing: str) -> None:
    given = headers(b"x", NOW)
    del given[missing]
    assert not plausible(given, NOW)


def test_a_secret_that_is_no_text_signs_by_its_bytes() -> None:
    """An environment may hold any bytes; Python shows them as lone surrogates."""
    base = f"v0:{NOW}:x".encode()
    made = "v0=" + hmac.new(b"\xffsecret\xc3\xa9", base, hashlib.sha256).hexdigest()
    given = {"x-slack-request-timestamp": str(NOW), "x-slack-signature": made}
    assert verified(given, b"x", b"\xffsecret\xc3\xa9".decode("utf-8", "surrogateescape"), NOW)


# -- what is refused -------------------------------------------------------------------------------------------


def test_what_is_unsigned_is_401_in_words() -> None:
    assert handler.handle(event(b"x", {})) == {"statusCode": 401, "headers": JSON, "body": UNSIGNED}


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"body": "x" * (http.MAX_BODY + 1)}, 413),
        ({"body": "x" * (3 * http.MAX_BODY)}, 413),
        ({"body": "é" * (http.MAX_BODY // 2 + 1)}, 400),
        ({"body": "no base64!" * 30_000, "isBase64Encoded": True}, 413),
        ({"body": "no base64!", "isBase64Encoded": True}, 400),
        ({"body": 1}, 400),
        ({"body": ["x"] * (http.MAX_BODY + 1)}, 400),
    ],
)
def test_a_body_that_is_too_large_is_413_and_one_that_is_unusable_400(given: dict[str, Any], status: int) -> None:
    assert answered({"requestContext": {}, **given}) == (status, '{"message": "The body is unusable."}')


def test_a_body_that_is_unusable_at_exactly_the_limit_is_not_too_large() -> None:
    assert answered({"requestContext": {}, "body": "\ud800" * http.MAX_BODY})[0] == 400
    assert answered({"requestContext": {}, "body": "\ud800" * (http.MAX_BODY + 1)})[0] == 413


def test_what_is_signed_and_nothing_of_ours_is_400_in_words(environment: pytest.MonkeyPatch) -> None:
    words = '{"message": "This is neither a command nor an interaction."}'
    for body in (b"", b"a=b", b"command=", b'{"type":"event_callback"}'):
        assert answered(signed(body)) == (400, words)


# -- url verification ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [VERIFY, b" \n" + VERIFY])
def test_a_signed_challenge_comes_back_as_plain_text(environment: pytest.MonkeyPatch, body: bytes) -> None:
    assert handler.handle(signed(body)) == {
        "statusCode": 200,
        "headers": {"content-type": "text/plain"},
        "body": "test123",
    }


@pytest.mark.parametrize("challenge", ["", ',"challenge":7', ',"challenge":null'])
def test_a_challenge_that_is_no_text_is_answered_with_nothing(environment: pytest.MonkeyPatch, challenge: str) -> None:
    body = f'{{"type":"url_verification"{challenge}}}'.encode()
    assert answered(signed(body)) == (200, "")
    assert handler.handle({"body": body.decode()})["statusCode"] == 401, "the console's test event needs one"


def test_half_of_a_surrogate_pair_in_a_challenge_can_be_sent(environment: pytest.MonkeyPatch) -> None:
    body = b'{"type":"url_verification","challenge":"\\ud800"}'
    assert answered(signed(body)) == (200, "?")
    assert handler.handle({"body": body.decode()}) == {"statusCode": 200, "body": "?"}


@pytest.mark.parametrize("context", [{}, None])
def test_the_consoles_test_event_is_only_what_has_no_gateway_in_it(context: Any) -> None:
    assert answered({"body": VERIFY.decode(), "requestContext": context}) == (401, UNSIGNED)


@pytest.mark.parametrize(
    "body", ['{"type":"URL_VERIFICATION","challenge":"x"}', '{"challenge":"x"}', '["url_verification"]', "{"]
)
def test_no_other_test_event_is_answered(body: str) -> None:
    assert answered({"body": body}) == (401, UNSIGNED)
    assert answered({"body": base64.b64encode(body.encode()).decode(), "isBase64Encoded": True})[0] == 401


# -- the secret ------------------------------------------------------------------------------------------------


def test_the_secret_is_read_as_it_is_known_then_afresh_with_little_patience(environment: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def optional(name: str, **how: Any) -> str:
        asked.append((name, how))
        return "another"

    environment.setattr(secrets, "optional", optional)
    assert answered(signed(b"command=x")) == (401, UNSIGNED)
    name = secrets.SLACK_SIGNING_SECRET
    assert asked == [(name, {"fresh": fresh, "patience": PATIENCE}) for fresh in (False, True)]


def test_a_secret_that_holds_is_not_read_afresh(environment: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def optional(_name: str, *, fresh: bool, patience: float) -> str:
        asked.append(fresh)
        return SECRET

    environment.setattr(secrets, "optional", optional)
    assert answered(signed(b"a=b"))[0] == 400
    assert asked == [False]


def test_a_request_is_held_against_one_moment_although_reading_the_secret_takes_time(
    environment: pytest.MonkeyPatch,
) -> None:
    """It arrived in time; how slow we are is not its fault."""
    at = [float(NOW + 300)]
    environment.setattr(handler, "time", type("Clock", (), {"time": staticmethod(lambda: at[0])}))

    def slow(_name: str, **_how: Any) -> str:
        at[0] += 5
        return SECRET

    environment.setattr(secrets, "optional", slow)
    assert answered(signed(b"a=b", NOW))[0] == 400
    at[0] = float(NOW + 301)
    assert answered(signed(b"a=b", NOW))[0] == 401


# -- what is delivered -----------------------------------------------------------------------------------------


def test_a_form_is_read_field_by_field_the_first_of_each_counting(environment: pytest.MonkeyPatch) -> None:
    got: list[dict[str, str]] = []

    def deliver(form: dict[str, str]) -> dict[str, Any]:
        got.append(form)
        return http.answer(200)

    environment.setattr(handler, "deliver", deliver)
    assert answered(signed(b"command=%2Fa&text=&command=%2Fb&user_name=%C3%A9"))[0] == 200
    assert answered(signed(b"&".join(b"a=1" for _ in range(100))))[0] == 200
    assert answered(signed(b"&".join(b"a=1" for _ in range(101))))[0] == 200
    assert got == [{"command": "/a", "text": "", "user_name": "é"}, {"a": "1"}, {}]


def test_an_interaction_goes_before_a_command_and_each_to_its_own(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(interactions, "answer", lambda payload: http.answer(200, {"clicked": payload}))
    environment.setattr(commands, "answer", lambda form: http.answer(200, {"commanded": form}))
    assert json.loads(handler.deliver({"payload": '{"a": 1}', "command": "/x"})["body"]) == {"clicked": {"a": 1}}
    for wrong in ("", "{", "[" * 100_000):
        assert json.loads(handler.deliver({"payload": wrong})["body"]) == {"clicked": None}
    assert json.loads(handler.deliver({"command": "/x"})["body"]) == {"commanded": {"command": "/x"}}


# -- trouble ---------------------------------------------------------------------------------------------------


class Log:
    """What was logged and counted."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.errors: list[dict[str, Any]] = []
        self.counted: list[dict[str, Any]] = []
        patch.setattr(logger, "error", lambda _text, **fields: self.errors.append(fields))
        patch.setattr("chatops.observability.emit", self.counted.append)


LATE = f"⚠️ {say('late')}"
MAYBE = f"⚠️ {say('late_maybe')}"
TROUBLE: dict[str, tuple[Exception, str]] = {
    "a setting": (InvalidConfiguration("GITHUB_ID is not set."), "⚠️ The bot isn't set up: GITHUB_ID is not set."),
    "a newer row": (UnknownSchema("RECORD d-1", "9", "1 and 2"), "⚠️ `RECORD d-1` was written by schema 9; "),
    "too late": (TimeoutError(), MAYBE),
    "anything": (RuntimeError("x"), f"⚠️ {say('click_failed')}"),
}


@pytest.mark.parametrize("name", TROUBLE)
@pytest.mark.parametrize("where", ["payload", "command"])
def test_whatever_goes_wrong_is_told_to_the_person_logged_and_counted(
    environment: pytest.MonkeyPatch, name: str, where: str
) -> None:
    error, words = TROUBLE[name]

    def broken(_given: Any) -> None:
        raise error

    environment.setattr(interactions, "answer", broken)
    environment.setattr(commands, "answer", broken)
    log = Log(environment)
    assert shown(handler.deliver({where: "{}"})).startswith(words)
    assert (log.errors, log.counted) == ([{"error": type(error).__name__}], [{"EdgeTroubles": 1}])
    modal = json.loads(handler.deliver({"payload": '{"type": "view_submission"}'})["body"])
    assert (modal["response_action"], words in str(modal["view"])) == ("update", True), "a modal stays open with it"


@pytest.mark.parametrize("modal", ["reject", "promote"])
@pytest.mark.parametrize("typed", ["", "  ", "\u200b", "\u3164", "\u2800 \ufe0f", "\u00a0\u2060"])
@pytest.mark.usefixtures("environment")
def test_a_reason_in_which_nothing_can_be_read_is_none(modal: str, typed: str) -> None:
    """Slack takes any character for an input that must not be empty."""
    state = {"values": {"reason": {"reason": {"value": typed}}}}
    view = {"callback_id": modal, "private_metadata": '{"id": "d-one"}', "state": state}
    answer = interactions.answer({"type": "view_submission", "user": {"id": "U0LEE0001"}, "view": view})
    assert json.loads(answer["body"])["response_action"] == "errors"


def test_what_takes_longer_than_slack_waits_is_told_so_and_changes_nothing_afterwards(
    environment: pytest.MonkeyPatch,
) -> None:
    """The thread that is behind it keeps nobody from ending the process."""
    go_on, done, threads, changed = threading.Event(), threading.Event(), list[threading.Thread](), list[str]()

    def slow(_form: dict[str, str]) -> dict[str, Any]:
        threads.append(threading.current_thread())
        try:
            go_on.wait(10)
            deadline.change()
            changed.append("afterwards")
            return http.answer(200)
        finally:
            done.set()

    environment.setattr(handler, "deliver", slow)
    log = Log(environment)
    began = real_time.monotonic()
    assert shown(handler.within(0.05, {"command": "/x"})) == LATE
    assert 0.04 < real_time.monotonic() - began < 5
    assert log.errors == [{"error": "TimeoutError"}]
    assert [(one.name, one.daemon) for one in threads] == [("delivery", True)]
    go_on.set()
    assert done.wait(5)
    assert changed == []


MODAL = {"payload": '{"type": "view_submission", "response_url": "https://hooks.slack.com/x"}'}
EMPTY = {"statusCode": 200, "body": ""}


def too_late(patch: pytest.MonkeyPatch, form: dict[str, str], *, heard: bool = True, **known: Any) -> dict[str, Any]:
    """The answer when no time is left, where this is `known` of what was done: `text`, `maybe`, `replying`."""
    first = list[deadline.Deadline]()

    class Over(deadline.Deadline):
        def __init__(self, seconds: float, for_reply: float = 0.0) -> None:
            super().__init__(seconds, for_reply)
            if not first:
                vars(self).update(known)
                first.append(self)

    patch.setattr(handler, "Deadline", Over)
    patch.setattr(handler, "BUDGET", 0.0 if heard else 9.0)
    return handler.within(0.0, form)


def test_too_late_says_what_is_known_by_the_way_that_is_left(environment: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    environment.setattr(handler.replies, "send", lambda who, answer: told.append((who.response_url, answer)))
    command, url = {"command": "/x", "response_url": "https://hooks.slack.com/y"}, "https://hooks.slack.com/"
    assert shown(too_late(environment, command)) == LATE
    assert shown(too_late(environment, command, maybe=True)) == MAYBE
    assert shown(too_late(environment, command, text="Approved.", maybe=True)) == "Approved."
    assert told == []
    assert shown(too_late(environment, command, heard=False)) == LATE
    assert told.pop() == (f"{url}y", LATE), "Slack no longer waits for the answer"
    assert json.loads(too_late(environment, MODAL)["body"])["response_action"] == "update"
    assert told == []
    assert too_late(environment, MODAL, text="Rejected.") == EMPTY
    assert told.pop() == (f"{url}x", "Rejected."), "what is recorded stands, and the modal need not stay"


def test_whoever_is_being_told_is_not_told_twice(environment: pytest.MonkeyPatch) -> None:
    assert too_late(environment, {"command": "/x"}, replying=True) == EMPTY
    assert shown(too_late(environment, {"command": "/x"}, replying=True, heard=False)) == LATE


def test_where_the_reply_takes_too_long_as_well_the_answer_says_it(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(handler, "REPLY_BUDGET", 0.0)
    assert shown(too_late(environment, {"command": "/x"}, text="Approved.")) == "Approved."


def test_a_signed_delivery_gets_the_edges_budget(environment: pytest.MonkeyPatch) -> None:
    got: list[Any] = []

    def within(*given: Any) -> dict[str, Any]:
        got.append(given)
        return http.answer(200)

    environment.setattr(handler, "within", within)
    assert answered(signed(b"command=%2Fx"))[0] == 200
    ((seconds, form),) = got
    assert BUDGET - 1 < seconds < BUDGET, "less what has passed"
    assert form == {"command": "/x"}


@pytest.mark.parametrize("left", [0.0, -5.0])
def test_what_has_no_time_left_is_not_begun(left: float, environment: pytest.MonkeyPatch) -> None:
    environment.setattr(handler, "deliver", lambda _: pytest.fail("it was begun"))
    assert shown(handler.within(left, {})) == LATE
