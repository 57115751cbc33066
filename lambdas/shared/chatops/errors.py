"""Every error the state machine retries or catches by name. The class names are an API: the definition uses them.

`Retryable` ones may go away by themselves; `Final` ones will not; `Signal` ones are no breakage at all but the way a
step that owns a task token tells the state machine to go and read the truth (a step never answers its own token).
"""

from __future__ import annotations

import json
from typing import Any


class ChatOpsError(Exception):
    """The root of all errors that this project raises on purpose. Its text is for people and carries no secret."""

    @property
    def text(self) -> str:
        """What it says, in English, for consoles and logs."""
        return str(self.args[0]) if self.args else ""


def phrase(key: str, **values: Any) -> dict[str, Any]:
    """A text of the catalogues as a value of another one: said in the reader's language, not in the writer's."""
    return {"key": key, "values": values}


def running(version: str) -> dict[str, Any]:
    """The sentence that says what runs, as a value of another text; `version` is empty where that is not known."""
    return phrase("live_now", live=version) if version else phrase("live_unknown")


class Told(ChatOpsError):
    """Says what happened in each reader's language: `key` and `values` name a text of the catalogues (a key that there
    is none of is its own text). `words` is how it becomes a value of a message.

    All that Step Functions passes on of an error is its name and its text, so the words travel as the text's last line,
    from which `causes.words` reads them."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key, self.values = key, values

    @property
    def words(self) -> dict[str, Any]:
        return phrase(self.key, **self.values)

    @property
    def text(self) -> str:
        from chatops.messages.catalogue import english

        return english(self.key, self.values)

    def __str__(self) -> str:
        return f"{self.text}\n{json.dumps(phrase('why_error', said=self.words), ensure_ascii=False)}"


class Retryable(Told):
    """May succeed when tried again; the state machine's Retry names each subclass."""


class GitHubUnavailable(Retryable):
    """GitHub did not answer, or answered 5xx; nothing is known about what the request did."""


class SlackUnavailable(Retryable):
    """Slack did not answer, answered 5xx, or asked for a pause of `wait_seconds`."""

    def __init__(self, key: str, wait_seconds: int = 0, **values: Any) -> None:
        super().__init__(key, **values)
        self.wait_seconds = wait_seconds


class ServiceUnavailable(Retryable):
    """An AWS service did not answer, throttled the call, or answered 5xx."""


class Final(ChatOpsError):
    """Will fail the same way again; the state machine's Catch leads to an end."""


class InvalidConfiguration(Told, Final):
    """A setting is missing or unusable; the text names the variable and what it should hold."""


class InvalidRequest(Final):
    """What was asked for cannot be done as asked; `key` and `values` name a text of the catalogues."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(f"{key} {values}" if values else key)
        self.key, self.values = key, values


class Worded(Final):
    """Final, and the deployment's message says why: `key` and `values` name a text of the catalogues.

    All that Step Functions passes on of an error is its name and its text, so they travel as the text's last line, from
    which `causes.words` reads them."""

    def __init__(self, text: str, key: str, **values: str | int) -> None:
        super().__init__(text)
        self.key, self.values = key, values

    def __str__(self) -> str:
        return f"{self.args[0]}\n{json.dumps({'key': self.key, 'values': self.values}, ensure_ascii=False)}"


class UnknownSchema(Worded):
    """A row, plan or input was written by a version of this bot whose schema this one does not read. Nothing is changed
    by it: the version that wrote it goes on with it."""

    def __init__(self, place: str, found: str, known: str) -> None:
        text = (
            f"{place} was written by schema {found}; the installed version of this bot reads {known}. Nothing was "
            "changed, and what runs keeps running. Install the version that wrote it again, and it goes on."
        )
        super().__init__(text, "unknown_schema", place=place, found=found, known=known)


class GitHubRefused(Worded):
    """GitHub refused the request (401, 403, 404, 409, 422) or redirects it; `status` is the code, `said` its words,
    `app` whether a GitHub App asked."""

    def __init__(self, status: int, repository: str, said: str, *, app: bool = False) -> None:
        key = "github_moved" if 300 <= status < 400 else "github_refused"
        if status in (401, 403, 404):
            key = f"github_app_{status}" if app else f"github_{status}"
        text = f"GitHub refused ({status}) for {repository}: {said}"
        super().__init__(text, key, status=status, repository=repository, said=said)
        self.status, self.repository, self.said, self.app = status, repository, said, app


class GitHubRateLimited(ChatOpsError):
    """GitHub asked for a pause of `wait_seconds`. The step returns it and the state machine waits; never a failure."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"GitHub asks to wait {wait_seconds} s before the next request.")
        self.wait_seconds = wait_seconds


class SlackRefused(Told, Final):
    """Slack refused a call; `code` is Slack's own error word."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__("slack_refused", method=method, code=code)
        self.code = code


class ServiceRefused(Told, Final):
    """An AWS service refused a call (permissions, missing resource, bad parameter)."""


class Frozen(Worded):
    """A freeze began after the deployment was planned: its deploy stage is not started any more."""


class AlreadySettled(Worded):
    """The deployment has ended or no longer holds its target: this step must not have an effect any more."""


class TargetHeld(Worded):
    """Another deployment that cannot be superseded holds the target."""


class Signal(ChatOpsError):
    """Not a breakage: leads the state machine on."""


class AlreadyAwake(Signal):
    """Something happened between the poll and the wait: read the truth again instead of sleeping."""


class DecisionRecorded(Signal):
    """There is a decision (or a cancel) already: read it instead of waiting for it."""


class CancelRecorded(Signal):
    """Somebody cancelled before the success was written down (it becomes a rollback), or before the rollback began."""


class TargetBusy(Signal):
    """The target's lock cannot be taken yet, but soon: wait and try again."""
