"""The page's own controls: how fast time goes, the scenarios, everything anew."""

from __future__ import annotations

from typing import Any, Protocol

from flask import Blueprint, Response, abort, jsonify

from local.page.shapes import Json
from local.page.slack import body, text

SPEEDS = (1, 10)


class Stage(Protocol):
    """What stands behind them (local.stage). `told` is what the page shows of it."""

    def told(self) -> Json: ...
    def set_speed(self, speed: float) -> None: ...
    def restart(self, scenario: str = "") -> None: ...


class Fixed:
    """A session that is there once and cannot be started again: what tests and other programs have."""

    def told(self) -> Json:
        return {"session": "", "speed": 1, "scenario": None, "scenarios": []}

    def set_speed(self, speed: float) -> None:
        abort(409, "This run's speed is fixed.")

    def restart(self, scenario: str = "") -> None:
        """Nothing to start anew with."""


class Controls:
    """`routes` is what a web application mounts."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.routes = Blueprint("stage", __name__)
        self.routes.add_url_rule("/stage", view_func=stage.told)
        self.routes.add_url_rule("/speed", view_func=self.speed, methods=["POST"])
        self.routes.add_url_rule("/reset", view_func=self.reset, methods=["POST"])
        self.routes.add_url_rule("/scenario", view_func=self.scenario, methods=["POST"])

    def speed(self) -> Json:
        """`{speed}`: 1 or 10 seconds of the fakes and of Wait states pass in one."""
        speed: Any = body().get("speed")
        if speed not in SPEEDS or isinstance(speed, bool):
            abort(400, f"`speed` should be one of {', '.join(map(str, SPEEDS))}.")
        self._stage.set_speed(speed)
        return self._stage.told()

    def reset(self) -> Response:
        """`{}`: everything anew."""
        body()
        return self._restarting("")

    def scenario(self) -> Response:
        """`{name}`: everything anew, and this scenario played."""
        name = text(body(), "name")
        known = {one["name"]: one for one in self._stage.told()["scenarios"]}
        if name not in known:
            abort(400, f"There is no scenario {name}. There are {', '.join(known) or 'none here'}.")
        if missing := known[name].get("missing"):
            abort(409, missing)
        return self._restarting(name)

    def _restarting(self, scenario: str) -> Response:
        """Answered before it happens: the server goes, and so do the page's connections; the page comes back."""
        answer = jsonify(self._stage.told())
        answer.call_on_close(lambda: self._stage.restart(scenario))
        return answer
