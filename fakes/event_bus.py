"""EventBridge's default bus, as far as PutEvents goes: what it was sent, and refusals of single entries.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

import json
import uuid
from collections import deque

from fakes.aws_json import HERE, AwsError, Json, JsonService, Place

MOST, BYTES = 10, 256 * 1024
"""Entries of a request, and their size."""


class EventBus(JsonService):
    """`taken`: the entries that it took, in order. `refusals`: error codes of the next entries, empty for one that is
    taken."""

    target = "AWSEvents."
    broken = "InternalException"

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Json] = []
        self.refusals: deque[str] = deque()

    def perform(self, operation: str, request: Json, _place: Place = HERE) -> str:
        if operation != "PutEvents":
            raise AwsError("UnknownOperationException", operation)
        entries = request.get("Entries", [])
        size = sum(len(str(value).encode()) for entry in entries for value in entry.values())
        if not 0 < len(entries) <= MOST or size > BYTES:
            raise AwsError("ValidationException", f"{len(entries)} entries of {size} bytes")
        results = [self._result(entry) for entry in entries]
        return json.dumps({"FailedEntryCount": sum("ErrorCode" in one for one in results), "Entries": results})

    def _result(self, entry: Json) -> Json:
        code = self.refusals.popleft() if self.refusals else ""
        if not code:
            try:
                if not isinstance(json.loads(entry["Detail"]), dict):
                    raise ValueError("not an object")
            except ValueError:
                code = "MalformedDetail"
        if code or not (entry.get("Source") and entry.get("DetailType")):
            return {"ErrorCode": code or "InvalidArgument", "ErrorMessage": "Refused."}
        self.taken.append(entry)
        return {"EventId": str(uuid.uuid4())}
