"""What the page shows of Step Functions, asked of the engine's own API: executions, histories, the drawing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from botocore.exceptions import ClientError
from flask import Blueprint, abort, request

from local import machine
from local.page import graph, history, shapes, story
from local.page.shapes import Json
from local.page.strip import strip
from local.page.timeline import timeline

NOT_THERE = {"ExecutionDoesNotExist", "InvalidArn", "ValidationException", "InvalidName"}


class Executions:
    """The executions of one state machine. `routes` is what a web application mounts; `names`: of people, by id."""

    def __init__(self, sfn: Any, machine_arn: str, names: Callable[[], Mapping[str, str]]) -> None:
        self._sfn, self._machine_arn, self._names = sfn, machine_arn, names
        self._ended: dict[str, str] = {}
        self.routes = Blueprint("executions", __name__)
        self.routes.add_url_rule("/graph", view_func=self.graph)
        self.routes.add_url_rule("/executions", view_func=self.listed)
        self.routes.add_url_rule("/executions/<name>", view_func=self.one)
        self.routes.add_url_rule("/executions/<name>/states/<path:state>", view_func=self.state)

    def graph(self) -> Json:
        """The machine's drawing; `?unfolded=Build&unfolded=Deploy` with these phases unfolded."""
        definition = self._sfn.describe_state_machine(stateMachineArn=self._machine_arn)["definition"]
        return graph.drawing(definition, graph.phases(definition) & set(request.args.getlist("unfolded")))

    def listed(self) -> Json:
        """The newest hundred, newest first, each with a `label` that says what a person knows of it."""
        found = self._sfn.list_executions(stateMachineArn=self._machine_arn, maxResults=100)
        listed = [{**shapes.execution(one, time.time()), "label": self._label(one)} for one in found["executions"]]
        return {"executions": sorted(listed, key=lambda one: one["started"] or 0, reverse=True)}

    def _label(self, found: Json) -> str:
        name = found["name"]
        if name in self._ended:
            return self._ended[name]
        label = story.brief(self._sfn, found, time.time(), self._names()).label
        if found["status"] != "RUNNING":
            self._ended[name] = label
        return label

    def one(self, name: str) -> Json:
        """One execution: its status, where it is, its way through the graph, its story, and its history, oldest event
        first; `?since=7`: of the history only what came after the event 7."""
        found, events = self._look(name)
        told, shown = history.events(events), shapes.execution(found, time.time())
        way, state, names = history.way(told, found["status"]), history.current_state(told), self._names()
        known = story.facts(story.data(reversed(events)), time.time())
        head, stays = story.story(known, found["status"], told, names), story.spans(told)
        since = request.args.get("since", 0, int)
        return {
            **shown,
            "state": state,
            "way": way,
            "story": {
                **asdict(head),
                "phases": [asdict(one) for one in strip(known, way["states"], stays, head.end, head.tone, names)],
                "timeline": [asdict(one) for one in timeline(known, stays, shown["started"] or 0.0, found["status"])],
            },
            "count": len(told),
            "events": [one for one in told if one["id"] > since],
        }

    def state(self, name: str, state: str) -> Json:
        """Every stay of an execution in one state, with its data."""
        return {"visits": history.visits(self._look(name)[1], state)}

    def _look(self, name: str) -> tuple[Json, list[Json]]:
        arn = f"{self._machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            return self._sfn.describe_execution(executionArn=arn), machine.history(self._sfn, arn)
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_THERE:
                abort(404, f"There is no execution {name}.")
            raise
