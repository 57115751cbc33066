"""Every session that a test builds is searched, when it ends, for secrets where they do not belong.

Secrets: what the functions are given (Slack's signing secret and bot token, GitHub's token or the App's private key and
the tokens made with it), what they make (tickets, task tokens), and the tokens of GitHub's jobs. Places: the functions'
logs, every message, modal and ephemeral answer, everything that the bot asks of Slack, GitHub and ECS, its HTTP
answers, and the inputs, outputs, errors and histories of all executions, and the rows of the table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.session import SECRETS, STACK, Session

OWN = {"ticket": ("STAGE#", "TICKET"), "token": ("WAIT",)}
"""What is made, and by their sk the rows that hold it."""
BIG = 2_000_000_000
"""Characters compared, above which one session is searched for what it was given alone: hundreds of executions make
thousands of tokens, and those have tests of their own."""


@dataclass
class Watch:
    """One session's secrets and places."""

    session: Session
    answers: list[tuple[str, str]] = field(default_factory=list)

    def listen(self) -> None:
        """Hear every HTTP answer of the bot's from now on."""
        gateway = self.session._mounts._whole["prod"]

        def heard(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
            body = b"".join(gateway(environ, start))
            self.answers.append((str(environ.get("PATH_INFO", "")), body.decode("utf-8", "replace")))
            return [body]

        self.session._mounts._whole["prod"] = heard

    def given(self) -> set[str]:
        """The secrets of the functions' environment."""
        session = self.session
        texts = [session.secrets.get_secret_value(SecretId=name)["SecretString"] for name in SECRETS.values()]
        stored = {name: value for text in texts for name, value in json.loads(text).items()}
        found = {str(value) for value in stored.values() if value}
        key = stored.get("GITHUB_APP_PRIVATE_KEY") or ""
        found |= {line for line in key.replace("\\n", "\n").splitlines() if len(line) > 40}
        return found | set(getattr(session.github.apps, "tokens", ())) | {t for t in session.github.tokens if t}

    def made(self, rows: list[dict[str, Any]], histories: list[Any]) -> dict[str, set[str]]:
        """Tickets, task tokens and the tokens of GitHub's jobs, by what they are called."""
        found: dict[str, set[str]] = {name: {r[name]["S"] for r in rows if name in r} for name in OWN}
        found["job's token"] = set(self.session.github.oidc.given)
        found["ticket"] |= {str(run.payload["ticket"]) for run in self.session.github.runs if run.payload.get("ticket")}
        for events in histories:
            for event in events:
                parameters = event.get("taskScheduledEventDetails", {}).get("parameters", "{}")
                if token := (json.loads(parameters).get("Payload") or {}).get("token"):
                    found["token"].add(str(token))
        return found

    def places(self, rows: list[dict[str, Any]], histories: list[Any]) -> Iterator[tuple[str, str]]:
        """Every text that somebody can read, with what it is."""
        session = self.session
        for path in session.runtime.log_dir.iterdir():
            yield f"the log {path.name}", path.read_text("utf-8", "replace")
        for message in session.slack.messages:
            said = [message.text, message.blocks, message.metadata, [(e.text, e.blocks) for e in message.edits]]
            yield "a message", json.dumps(said, ensure_ascii=False)
        yield "a modal", json.dumps([view.content for view in session.slack.views], ensure_ascii=False)
        yield "a call of Slack", json.dumps([call.arguments for call in session.slack.calls], default=str)
        yield "a call of ECS", json.dumps([call.request for call in session.ecs.calls], default=str)
        yield "a request to GitHub", json.dumps([call.path for call in session.github.calls])
        for path, body in self.answers:
            yield f"the answer to {path}", body
        for events in histories:
            yield "a history", json.dumps(_without_tokens(events), default=str)
        for row in rows:
            kept = {k: v for k, v in row.items() if k not in OWN or not row["sk"]["S"].startswith(OWN[k])}
            if not row["pk"]["S"].startswith("TICKET#"):
                yield f"the row {row['pk']['S']} {row['sk']['S']}", json.dumps(kept)

    def leaks(self) -> list[str]:
        """What was found where it does not belong, without the secret itself."""
        session = self.session
        table = f"{STACK}-table"
        rows = [r for page in session.dynamodb.get_paginator("scan").paginate(TableName=table) for r in page["Items"]]
        histories = [session.history(execution["executionArn"]) for execution in session.executions()]
        own, read = self.made(rows, histories), list(self.places(rows, histories))
        wanted = {("a secret of the environment", value) for value in self.given()}
        mine = {(name, value) for name, values in own.items() for value in values}
        if len(mine) * sum(len(text) for _, text in read) < BIG:
            wanted |= mine
        return sorted({f"{name} in {place}" for place, text in read for name, value in wanted if value in text})


def _without_tokens(events: Iterable[dict[str, Any]]) -> list[Any]:
    """The parameters of a wait hold its own token: that is how the function gets it, here as on AWS."""
    return [{k: v for k, v in event.items() if k != "taskScheduledEventDetails"} for event in events]


def watch(patch: pytest.MonkeyPatch) -> None:
    """Search every session that is built from here on, when its stack unwinds."""
    build = Session.__init__

    def built(self: Session, stack: ExitStack, **settings: Any) -> None:
        build(self, stack, **settings)
        watching = Watch(self)
        watching.listen()

        def search() -> None:
            found = watching.leaks()
            assert found == [], found

        stack.callback(search)

    patch.setattr(Session, "__init__", built)
