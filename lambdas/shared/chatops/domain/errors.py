"""Every error that the state machine retries or catches by name. The class names are an API: the definition uses them.

`Retryable` errors may go away by themselves, `Final` ones won't. A `Signal` isn't a failure: with it a step tells the
state machine to read the rows again. A step that holds a task token needs that, because it never answers its own token.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from chatops.domain.reason import Reason

if TYPE_CHECKING:
    from chatops.domain.reason import Value
    from chatops.domain.text_keys import TextKey


_MOST_SHOWN = 5


class ChatOpsError(Exception):
    """Base class of every error that this project raises on purpose. Its text is for people and holds no secret."""

    @property
    def text(self) -> str:
        """English, for consoles and logs."""
        return str(self.args[0]) if self.args else ""


class ReasonedError(ChatOpsError):
    """An error with a `reason` that each reader gets in their own language.

    Step Functions passes on an error's name and its text only, so the last line of the text is a reason as JSON, which
    `causes.reason_of` reads.
    """

    explains: ClassVar[bool] = False
    """Whether the reason alone explains to people how a deployment ended. Others are introduced by `why_error`."""

    def __init__(self, key: TextKey, /, **values: Value) -> None:
        self.reason = Reason(key, **values)
        super().__init__(key)

    @property
    def key(self) -> TextKey:
        return self.reason.key

    @property
    def values(self) -> Mapping[str, Value]:
        return self.reason.values

    @property
    def text(self) -> str:
        from chatops.messages.english import english_text

        return english_text(self.reason)

    def __str__(self) -> str:
        shown = self.reason if self.explains else Reason("why_error", said=self.reason)
        return f"{self.text}\n{json.dumps(shown.as_json(), ensure_ascii=False)}"


class Retryable(ReasonedError):
    """May succeed when tried again; the state machine's Retry names each subclass."""


class GitHubUnavailable(Retryable):
    """GitHub did not answer, or answered 5xx; what the request did is unknown."""


class SlackUnavailable(Retryable):
    """Slack did not answer, answered 5xx, or asked for a pause of `wait_seconds`."""

    def __init__(self, key: TextKey, /, wait_seconds: int = 0, **values: Value) -> None:
        super().__init__(key, **values)
        self.wait_seconds = wait_seconds


class ServiceUnavailable(Retryable):
    """An AWS service did not answer, throttled the call, or answered 5xx."""


class Final(ReasonedError):
    """Will fail the same way again; the state machine's Catch leads to an end."""


class InvalidConfiguration(Final):
    """Settings are missing or unusable. Each of `faults` names a variable or a place in a file, and what it should
    hold; `reason` is all of them together."""

    def __init__(self, key: TextKey, /, **values: Value) -> None:
        super().__init__(key, **values)
        self.faults: tuple[Reason, ...] = (self.reason,)

    @classmethod
    def of(cls, faults: Sequence[Reason]) -> InvalidConfiguration:
        """One error for all of these, of which there is at least one. Its text shows the first five."""
        *others, last = faults[:_MOST_SHOWN]
        if more := len(faults) - _MOST_SHOWN if len(faults) > _MOST_SHOWN else 0:
            others, last = [*others, last], Reason("more_faults", count=more)
        for fault in reversed(others):
            last = Reason("faults", first=fault, others=last)
        made = cls(last.key, **last.values)
        made.faults = tuple(faults)
        return made


class Refusal(Final):
    """What a person asked for isn't done, and the reason says why. Raised by whatever decides that."""

    explains = True

    @classmethod
    def of(cls, reason: Reason) -> Refusal:
        return cls(reason.key, **reason.values)


class UnknownSchema(Final):
    """A row, plan or input was written by a version of this bot whose schema this one does not read. It changes
    nothing: the version that wrote it goes on with it."""

    explains = True

    def __init__(self, place: str, found: str, known: str) -> None:
        super().__init__("unknown_schema", place=place, found=found, known=known)


class GitHubRefused(Final):
    """GitHub refused the request (401, 403, 404, 409, 422) or redirects it; `status` is the code, `said` GitHub's
    message, `app` whether a GitHub App asked."""

    explains = True

    def __init__(self, status: int, repository: str, said: str, *, app: bool = False) -> None:
        super().__init__(_github_key(status, app=app), status=status, repository=repository, said=said)
        self.status, self.repository, self.said, self.app = status, repository, said, app


def _github_key(status: int, *, app: bool) -> TextKey:
    if 300 <= status < 400:
        return "github_moved"
    known: dict[int, TextKey] = {401: "github_401", 403: "github_403", 404: "github_404"}
    if app:
        known = {401: "github_app_401", 403: "github_app_403", 404: "github_app_404"}
    return known.get(status, "github_refused")


class GitHubRateLimited(ChatOpsError):
    """GitHub asked for a pause of `wait_seconds`; whoever asks again does so `again_seconds` from now, since all who
    wait would begin at once. The step returns it and the state machine waits, or `plan` raises it and is tried again;
    never a failure."""

    def __init__(self, wait_seconds: float, spread: float = 0.0) -> None:
        super().__init__(f"GitHub asks to wait {math.ceil(wait_seconds)} s before the next request.")
        self.wait_seconds, self.again_seconds = wait_seconds, wait_seconds + spread


class GitHubPostponed(GitHubRateLimited):
    """Nothing was asked of GitHub: little is left of its rate limit, which begins anew in `wait_seconds`, and is kept
    for what people wait for."""


class SlackRefused(Final):
    """Slack refused a call; `code` is Slack's own error code."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__("slack_refused", method=method, code=code)
        self.code = code


class ServiceRefused(Final):
    """An AWS service refused a call (permissions, missing resource, bad parameter)."""


class Frozen(Final):
    """A freeze began after the deployment was planned: its deploy stage is not started any more."""

    explains = True


class AlreadySettled(Final):
    """The deployment has ended or no longer holds its target: this step must not have an effect any more."""

    explains = True


class TargetHeld(Final):
    """Another deployment that cannot be superseded holds the target."""

    explains = True


class Signal(ChatOpsError):
    """Not a failure: tells the state machine where to go on."""


class AlreadyAwake(Signal):
    """Something happened between the poll and the wait: poll again instead of waiting."""


class DecisionRecorded(Signal):
    """There is a decision or a cancel already: read it instead of waiting for it."""


class CancelRecorded(Signal):
    """Somebody cancelled before the success was recorded (it becomes a rollback), or before the rollback began."""


class TargetBusy(Signal):
    """The target's lock can't be taken yet, but soon: wait and try again."""
