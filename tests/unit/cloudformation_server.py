"""CloudFormation as far as `sam deploy` talks to it: change sets of one stack, carried out at once.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html (the query protocol, XML)
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

ARN = "arn:aws:cloudformation:eu-west-1:123456789012:stack/platform-deploy/1"
XMLNS = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


class Server:
    """Remembers every change set that it was asked for (its form fields) and what became of the stack, when."""

    def __init__(self, declared: Mapping[str, Mapping[str, Any]]) -> None:
        self.declared = declared  # the parameters of the template that is deployed
        self.values: dict[str, str] = {}
        self.change_sets: list[dict[str, str]] = []
        self.actions: set[str] = set()
        self.events: list[tuple[str, str]] = []

    def __call__(self, request: Request) -> Response:
        self.actions.add(request.form["Action"])
        answer = getattr(self, f"_{request.form['Action']}", None)
        if answer is None:
            return self._refused(f"{request.form['Action']} is not known here")
        result = answer(dict(request.form))
        return result if isinstance(result, Response) else self._xml(request.form["Action"], result)

    def _xml(self, action: str, body: str) -> Response:
        text = f'<{action}Response xmlns="{XMLNS}"><{action}Result>{body}</{action}Result></{action}Response>'
        return Response(text, content_type="text/xml")

    def _refused(self, text: str) -> Response:
        body = f"<Error><Type>Sender</Type><Code>ValidationError</Code><Message>{escape(text)}</Message></Error>"
        return Response(f'<ErrorResponse xmlns="{XMLNS}">{body}</ErrorResponse>', 400, content_type="text/xml")

    def _DescribeStacks(self, form: dict[str, str]) -> str | Response:
        if not self.ended:
            return self._refused(f"Stack with id {form['StackName']} does not exist")
        outputs = "<member><OutputKey>SlackRequestUrl</OutputKey><OutputValue>https://api/prod/slack/events</OutputValue></member>"
        values = "".join(
            f"<member><ParameterKey>{name}</ParameterKey><ParameterValue>{escape(value)}</ParameterValue></member>"
            for name, value in self.values.items()
        )
        return (
            f"<Stacks><member><StackName>platform-deploy</StackName><StackId>{ARN}</StackId>"
            f"<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>{self.ended[-1]}</StackStatus>"
            f"<Parameters>{values}</Parameters><Outputs>{outputs}</Outputs></member></Stacks>"
        )

    def _GetTemplateSummary(self, _: dict[str, str]) -> str:
        members = "".join(f"<member><ParameterKey>{name}</ParameterKey></member>" for name in self.declared)
        return f"<Parameters>{members}</Parameters>"

    def _CreateChangeSet(self, form: dict[str, str]) -> str:
        self.change_sets.append(form)
        if not self.events:
            self._happened("REVIEW_IN_PROGRESS")
        return f"<Id>{ARN}/changes</Id><StackId>{ARN}</StackId>"

    def _DescribeChangeSet(self, _: dict[str, str]) -> str:
        change = (
            "<member><Type>Resource</Type><ResourceChange><Action>Add</Action><LogicalResourceId>Table</LogicalResourceId>"
            "<ResourceType>AWS::DynamoDB::Table</ResourceType></ResourceChange></member>"
        )
        return f"<Status>CREATE_COMPLETE</Status><StackName>platform-deploy</StackName><Changes>{change}</Changes>"

    def _ExecuteChangeSet(self, _: dict[str, str]) -> str:
        given = {name: value for name, value in parameters(self.change_sets[-1]).items() if value is not None}
        defaults = {name: str(rules["Default"]) for name, rules in self.declared.items() if "Default" in rules}
        self.values = {**defaults, **self.values, **given}
        self._happened("UPDATE_COMPLETE" if self.ended else "CREATE_COMPLETE")
        return ""

    @property
    def ended(self) -> list[str]:
        """How each change set ended."""
        return [status for _, status in self.events if status.endswith("COMPLETE")]

    def _happened(self, status: str) -> None:
        self.events.append((datetime.now(UTC).isoformat(), status))

    def _DescribeStackEvents(self, _: dict[str, str]) -> str:
        return f"<StackEvents>{''.join(self._event(*each) for each in reversed(self.events))}</StackEvents>"

    def _event(self, at: str, status: str) -> str:
        return (
            f"<member><EventId>{at}</EventId><StackId>{ARN}</StackId><StackName>platform-deploy</StackName>"
            f"<LogicalResourceId>platform-deploy</LogicalResourceId><PhysicalResourceId>{ARN}</PhysicalResourceId>"
            f"<ResourceType>AWS::CloudFormation::Stack</ResourceType><Timestamp>{at}</Timestamp>"
            f"<ResourceStatus>{status}</ResourceStatus></member>"
        )


def parameters(form: dict[str, str]) -> dict[str, str | None]:
    """A change set's parameters; None is "as it was"."""
    found: dict[str, str | None] = {}
    for key, name in form.items():
        if at := re.fullmatch(r"Parameters\.member\.(\d+)\.ParameterKey", key):
            before = f"Parameters.member.{at[1]}"
            kept = form.get(f"{before}.UsePreviousValue") == "true"
            found[name] = None if kept else form[f"{before}.ParameterValue"]
    return found


@contextmanager
def serving(server: Server) -> Iterator[str]:
    """Its address."""
    http = make_server("127.0.0.1", 0, Request.application(server), threaded=True)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        thread.join()
