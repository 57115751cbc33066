"""Changing moto while an engine runs, and leaving no trace of it afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_ABSENT = object()


@dataclass
class Settings:
    """What the patches need to know. They read it at each use: the scale may change while the engine runs."""

    lambda_url: str
    wait_time_scale: float = 1.0


class Patches:
    """Attributes that were replaced, so that `undo` can put them back."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any]] = []
        self._closers: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, value: Any) -> Any:
        """Set `owner.name` and return what was there (a plain function, for one taken from a class)."""
        self._undo.append((owner, name, vars(owner).get(name, _ABSENT)))
        before = getattr(owner, name, None)
        setattr(owner, name, value)
        return before

    def replace_everywhere(self, package: str, name: str, value: Any) -> None:
        """Replace `name` in every module of `package` that holds the same object: `from x import name`
        copies it.
        """
        modules = [module for key, module in list(sys.modules.items()) if key.startswith(package + ".")]
        holders = [module for module in modules if name in vars(module)]
        for module in holders:
            self.replace(module, name, value)

    def on_undo(self, close: Callable[[], None]) -> None:
        self._closers.append(close)

    def undo(self) -> None:
        while self._undo:
            owner, name, before = self._undo.pop()
            if before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
        while self._closers:
            self._closers.pop()()
