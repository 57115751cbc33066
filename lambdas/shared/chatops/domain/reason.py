"""Why something is refused, failed or ended: the key of a text and the values that it mentions.

A reason is written once and read in each reader's language. `messages.text` turns it into text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

    Value: TypeAlias = "str | int | float | tuple[str, ...] | Reason | None"
    """A tuple holds user ids. A reason may be a value of another one: a sentence inside a sentence."""


class Reason:
    """`key` names a text of the catalogues, `values` are its placeholders. Immutable by convention, equal by content.

    A key that an older or newer version wrote and this one doesn't know is shown as it stands.
    """

    __slots__ = ("key", "values")

    def __init__(self, key: TextKey, /, **values: Value) -> None:
        self.key: TextKey = key
        self.values: Mapping[str, Value] = values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reason) and (self.key, self.values) == (other.key, other.values)

    def __hash__(self) -> int:
        return hash((self.key, tuple(sorted(self.values))))

    def __repr__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self.values.items())
        return f"Reason({self.key!r}{given})"

    def having(self, **values: Value) -> Reason:
        """The same reason with these values added; those that it has already stay."""
        return Reason(self.key, **{**values, **self.values})

    def as_json(self) -> dict[str, Any]:
        """`{"key", "values"}` as the state machine and the table carry it; reasons among the values likewise."""
        values = {name: v.as_json() if isinstance(v, Reason) else v for name, v in self.values.items()}
        return {"key": self.key, "values": values}

    @classmethod
    def from_json(cls, found: object) -> Reason | None:
        """The reason that `as_json` made; None for anything else (no reason, an empty object)."""
        if not isinstance(found, Mapping) or not found.get("key"):
            return None
        values = found.get("values")
        given = values.items() if isinstance(values, Mapping) else ()
        return cls(cast("TextKey", str(found["key"])), **{str(name): _value(value) for name, value in given})


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something broke, and the stage that it is about; `stage` is empty where it is about none."""

    reason: Reason
    stage: str = ""

    @classmethod
    def from_json(cls, found: object) -> Cause | None:
        """A reason's JSON with the member `stage`; None for anything else."""
        reason = Reason.from_json(found)
        stage = found.get("stage") if isinstance(found, Mapping) else ""
        return cls(reason, str(stage or "")) if reason else None

    def as_json(self) -> dict[str, Any]:
        """The other way round."""
        return {**self.reason.as_json(), **({"stage": self.stage} if self.stage else {})}


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal as the state machine carries it: the reason, and its English text for whoever reads the execution."""

    reason: Reason
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        """The reason's JSON with the member `text`."""
        return {**self.reason.as_json(), "text": self.text}

    @classmethod
    def from_json(cls, found: object) -> Refused | None:
        """The refusal that `as_json` made; None for anything else."""
        reason = Reason.from_json(found)
        text = found.get("text") if isinstance(found, Mapping) else ""
        return cls(reason, str(text or "")) if reason else None


def _value(found: Any) -> Value:
    if isinstance(found, Mapping):
        return Reason.from_json(found)
    return tuple(map(str, found)) if isinstance(found, list) else found


def running(version: str) -> Reason:
    """The sentence that says what runs, as a value of another text; `version` is empty where that isn't known."""
    return Reason("live_now", live=version) if version else Reason("live_unknown")
