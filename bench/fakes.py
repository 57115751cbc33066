"""What both edges call, in one small server behind TLS: Secrets Manager, Step Functions, Slack. It answers at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from bench.tls import Authority, front

SIGNING_SECRET, TOKEN = "a-signing-secret-of-the-benchmark", "xoxb-benchmark"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:deploy"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:chatops"  # noqa: S105 - where it is kept, not what it is
ANSWERS: dict[str, dict[str, Any]] = {
    "secretsmanager.GetSecretValue": {
        "ARN": SECRET,
        "Name": "chatops",
        "SecretString": json.dumps({"SLACK_SIGNING_SECRET": SIGNING_SECRET, "SLACK_BOT_TOKEN": TOKEN}),
    },
    "AWSStepFunctions.StartExecution": {
        "executionArn": f"{MACHINE.replace(':stateMachine:', ':execution:')}:d-1",
        "startDate": 1_760_000_000.0,
    },
    "/slack/auth.test": {"ok": True, "user_id": "U0BOT", "bot_id": "B0BOT", "team_id": "T0ACME", "url": "", "user": ""},
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Fake

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = self.headers.get("X-Amz-Target") or self.path
        self.server.asked[asked] += 1
        body = json.dumps(ANSWERS[asked]).encode()
        self.send_response(200)
        self.send_header(
            "Content-Type", "application/x-amz-json-1.0" if "X-Amz-Target" in self.headers else "text/json"
        )
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Fake(ThreadingHTTPServer):
    """`asked` counts what was asked of it."""

    daemon_threads = True

    def __init__(self, authority: Authority) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.authority = authority
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """What an edge is started with: all that it calls is here."""
        return {
            **self.authority.environment(),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "SLACK_API_URL": f"{self.url}/slack/",
            "CHATOPS_STATE_MACHINE_ARN": MACHINE,
            "CHATOPS_SLACK_SECRET_ARN": SECRET,
            "CHATOPS_TABLE": "chatops",
            "GITHUB_ID": "acme",
            "GITHUB_REPO": "checkout-api",
            "SLACK_CHANNEL_ID": "C0DEPLOY",
            "ECS_CLUSTER_NAME": "checkout",
            "ECS_SERVICE_NAME": "checkout",
            "AWS_LAMBDA_FUNCTION_NAME": "slack",
        }


@contextmanager
def far_ends(folder: Path) -> Iterator[Fake]:
    """The server, while it runs; its certificate lies in `folder`."""
    with Fake(Authority(folder)) as made:
        Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        with front(made.url, made.authority) as made.url:
            yield made
        made.shutdown()
