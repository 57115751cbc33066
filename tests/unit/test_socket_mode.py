"""Socket Mode: envelopes enter behind the signature's check, and the acknowledgement carries the answer."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from local import socket_mode

COMMAND = {
    "command": "/platform-deploy",
    "text": "v1.2.3 & more",
    "team_id": "T1",
    "user_id": "U1",
    "channel_id": "C1",
    "trigger_id": "1.2.abc",
    "response_url": "https://hooks.slack.com/commands/T1/2/3",
    "is_enterprise_install": "false",
    "enterprise_id": None,
}
CLICK = {"type": "block_actions", "user": {"id": "U1"}, "actions": [{"action_id": "approve", "value": "d-abc"}]}
SUBMISSION = {"type": "view_submission", "user": {"id": "U1"}, "view": {"callback_id": "reject"}}


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""


@dataclass
class Edge:
    """The signed way to the handlers, and what they answer."""

    reply: Reply = field(default_factory=Reply)
    bodies: list[bytes] = field(default_factory=list)

    def __call__(self, body: bytes) -> Reply:
        self.bodies.append(body)
        return self.reply


class Client:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_socket_mode_response(self, response: SocketModeResponse) -> None:
        self.sent.append(response.to_dict())


def envelope(kind: str, payload: dict[str, Any], *, accepts: bool = False) -> SocketModeRequest:
    found = SocketModeRequest.from_dict(
        {"type": kind, "envelope_id": "e-1", "payload": payload, "accepts_response_payload": accepts}
    )
    assert found
    return found


def hear(request: SocketModeRequest, edge: Edge) -> dict[str, Any]:
    client = Client()
    socket_mode.listener(edge)(client, request)
    assert len(client.sent) == 1, "every envelope is acknowledged once"
    assert client.sent[0]["envelope_id"] == "e-1"
    return client.sent[0]


def test_a_command_arrives_as_the_form_that_slack_would_post_and_its_answer_is_the_acknowledgement() -> None:
    said = {"response_type": "ephemeral", "text": "Got it."}
    edge = Edge(Reply(body=json.dumps(said).encode()))
    assert hear(envelope("slash_commands", COMMAND, accepts=True), edge)["payload"] == said
    found = {k: v[0] for k, v in parse_qs(edge.bodies[0].decode(), strict_parsing=True).items()}
    assert found == {k: v for k, v in COMMAND.items() if v is not None}


def test_a_click_is_acknowledged_without_a_text() -> None:
    edge = Edge()
    assert "payload" not in hear(envelope("interactive", CLICK), edge)
    assert json.loads(parse_qs(edge.bodies[0].decode())["payload"][0]) == CLICK


def test_a_modal_that_is_not_complete_stays_open_with_its_errors() -> None:
    errors = {"response_action": "errors", "errors": {"reason": "Please give a reason."}}
    edge = Edge(Reply(body=json.dumps(errors).encode()))
    assert hear(envelope("interactive", SUBMISSION, accepts=True), edge)["payload"] == errors


def test_an_answer_is_kept_back_where_slack_takes_none() -> None:
    assert "payload" not in hear(envelope("slash_commands", COMMAND), Edge(Reply(body=b'{"text": "x"}')))


def test_what_nobody_listens_to_is_acknowledged_and_goes_nowhere() -> None:
    edge = Edge()
    hear(envelope("events_api", {"event": {}}), edge)
    assert edge.bodies == []


def test_a_command_that_the_edge_refuses_says_so() -> None:
    answer = hear(envelope("slash_commands", COMMAND, accepts=True), Edge(Reply(401, b'{"message": "no"}')))
    assert "401" in answer["payload"]["text"]


def test_socket_mode_is_for_those_who_set_both_tokens() -> None:
    assert not socket_mode.wanted({})
    assert not socket_mode.wanted({"SLACK_BOT_TOKEN": "xoxb-1"})
    assert socket_mode.wanted({"SLACK_APP_TOKEN": "xapp-1", "SLACK_BOT_TOKEN": "xoxb-1"})
    with pytest.raises(ValueError, match="SLACK_BOT_TOKEN should hold"):
        socket_mode.wanted({"SLACK_APP_TOKEN": "xapp-1"})
    with pytest.raises(ValueError, match="xapp-"):
        socket_mode.wanted({"SLACK_APP_TOKEN": "xoxb-1", "SLACK_BOT_TOKEN": "xoxb-1"})


def test_the_functions_then_speak_to_slack_itself_and_forget_the_stand_ins_people() -> None:
    assert socket_mode.environment({}) == {
        "SLACK_API_URL": "https://slack.com/api/",
        "SLACK_CHANNEL_ID": "",
        "SLACK_APPROVERS": "",
        "GIF_BASE_URL": "none",
    }
    given = {
        "SLACK_API_URL": "http://127.0.0.1:1/api/",
        "SLACK_CHANNEL_ID": "C9",
        "SLACK_APPROVERS": "U9",
        "GIF_BASE_URL": "https://pictures.example",
    }
    assert socket_mode.environment(given) == given


# -- against a server that speaks Slack's end of the protocol --------------------------------------------------


class FakeSlack:
    """`apps.connections.open`, and behind its URL a WebSocket that sends one envelope and keeps what it is answered."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.refuse = ""
        self.heard: list[dict[str, Any]] = []
        self.answered = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        fake = self

        class Api(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fake.tokens.append(str(self.headers["Authorization"]))
                url = f"ws://127.0.0.1:{fake._listening.getsockname()[1]}/link"
                said = {"ok": False, "error": fake.refuse} if fake.refuse else {"ok": True, "url": url}
                body = json.dumps(said).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._api = ThreadingHTTPServer(("127.0.0.1", 0), Api)
        self.url = f"http://127.0.0.1:{self._api.server_port}/api/"
        self._threads = [threading.Thread(target=t, daemon=True) for t in (self._api.serve_forever, self._serve)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._api.shutdown()
        self._api.server_close()
        self._listening.close()

    def _serve(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return
        with connection:
            self._shake_hands(connection)
            hello = json.dumps({"type": "hello", "num_connections": 1}).encode()
            asked = {"type": "slash_commands", "envelope_id": "e-1", "payload": COMMAND}
            for text in (hello, json.dumps({**asked, "accepts_response_payload": True}).encode()):
                connection.sendall(b"\x81" + self._length(len(text)) + text)
            while (message := self._read(connection)) is not None:
                if message:
                    self.heard.append(json.loads(message))
                    self.answered.set()

    @staticmethod
    def _length(size: int) -> bytes:
        return bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)

    @staticmethod
    def _shake_hands(connection: socket.socket) -> None:
        """https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2"""
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(4096)
        headers = [line.partition(": ") for line in request.decode().split("\r\n")]
        key = next(value.strip() for name, _, value in headers if name.lower() == "sec-websocket-key")
        accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode(), usedforsecurity=False).digest()
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n"
        )

    def _read(self, connection: socket.socket) -> bytes | None:
        """A text message, b"" for any other frame, None at the end. Clients mask what they send."""
        head = self._exactly(connection, 2)
        if head is None or head[0] & 0x0F == 8:
            return None
        size = head[1] & 0x7F
        if size == 126:
            size = struct.unpack(">H", self._exactly(connection, 2) or b"\0\0")[0]
        mask = self._exactly(connection, 4) or b"\0\0\0\0"
        masked = self._exactly(connection, size) or b""
        text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked))
        return text if head[0] & 0x0F == 1 else b""

    @staticmethod
    def _exactly(connection: socket.socket, size: int) -> bytes | None:
        found = b""
        while len(found) < size:
            try:
                more = connection.recv(size - len(found))
            except OSError:
                return None
            if not more:
                return None
            found += more
        return found


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    fake = FakeSlack()
    yield fake
    fake.close()


def variables(slack: FakeSlack) -> dict[str, str]:
    return {"SLACK_APP_TOKEN": "xapp-1", "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_API_URL": slack.url}


def test_a_command_from_slack_comes_through_and_is_answered(slack: FakeSlack) -> None:
    edge = Edge(Reply(body=b'{"text": "Got it."}'))
    before = set(threading.enumerate())
    with socket_mode.connected(edge, variables(slack)) as up:
        assert up
        assert slack.answered.wait(5)
    assert slack.tokens == ["Bearer xapp-1"]
    assert slack.heard == [{"envelope_id": "e-1", "payload": {"text": "Got it."}}]
    assert len(edge.bodies) == 1
    left = [t for t in threading.enumerate() if t not in before and not t.daemon]
    assert left == [], "nothing keeps the process from ending"


def test_a_token_that_slack_refuses_is_said_in_words(slack: FakeSlack) -> None:
    slack.refuse = "invalid_auth"
    with pytest.raises(ConnectionError, match="invalid_auth"), socket_mode.connected(Edge(), variables(slack)):
        pass


def test_without_tokens_nothing_is_connected() -> None:
    with socket_mode.connected(Edge(), {}) as up:
        assert not up
