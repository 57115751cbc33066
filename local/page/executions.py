"""What the page shows of Step Functions, asked of the engine's own API: executions, histories, the drawing."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError
from flask import Blueprint, abort, request

from local.page import graph, history, shapes
from local.page.shapes import Json

NOT_THERE = {"ExecutionDoesNotExist", "InvalidArn", "ValidationException", "InvalidName"}


class Executions:
    """The executions of one state machine. `routes` is what a web application mounts."""

    def __init__(self, sfn: Any, machine_arn: str) -> None:
        self._sfn, self._machine_arn = sfn, machine_arn
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
        """The newest hundred, newest first."""
        found = self._sfn.list_executions(stateMachineArn=self._machine_arn, maxResults=100)
        listed = [shapes.execution(one, time.time()) for one in found["executions"]]
        return {"executions": sorted(listed, key=lambda one: one["started"] or 0, reverse=True)}

    def one(self, name: str) -> Json:
        """One execution: its status, where it is, its way through the graph and its history, oldest event first."""
        found, events = self._look(name)
        told = history.events(events)
        return {
            **shapes.execution(found, time.time()),
            "state": history.current_state(told),
            "way": history.way(told, found["status"]),
            "events": told,
        }

    def state(self, name: str, state: str) -> Json:
        """Every stay of an execution in one state, with its data."""
        return {"visits": history.visits(self._look(name)[1], state)}

    def _look(self, name: str) -> tuple[Json, list[Json]]:
        arn = f"{self._machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            found = self._sfn.describe_execution(executionArn=arn)
            events: list[Json] = []
            more: dict[str, str] = {}
            while True:
                page = self._sfn.get_execution_history(executionArn=arn, maxResults=1000, **more)
                events += page["events"]
                if not page.get("nextToken"):
                    return found, events
                more = {"nextToken": page["nextToken"]}
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_THERE:
                abort(404, f"There is no execution {name}.")
            raise
