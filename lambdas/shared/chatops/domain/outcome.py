"""How a deployment ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chatops.domain.codec import Json


@dataclass(frozen=True, slots=True)
class Outcome:
    """`end`: Deployed, Restored, Rolled Back, …; `why`: the reason of what broke. `at`: ISO
    time; `seconds`: from the plan on; `place`: names of the service, for the commands that a person may type."""

    end: str = ""
    said: str | None = None
    why: Json = field(default_factory=dict)
    by: str = ""
    superseded: bool | None = None
    at: str | None = None
    seconds: float | None = None
    place: Mapping[str, str] | None = None

    def __bool__(self) -> bool:
        return bool(self.end)
