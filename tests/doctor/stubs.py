"""AWS by botocore's own stubs: what is asked and answered is checked against its models."""

from __future__ import annotations

from typing import Any

from botocore.stub import Stubber

from doctor.clients import Aws

Answers = dict[str, dict[str, Any]]
"""By operation's method name: an answer, or `{"code": …}` for an error."""


class Stubbed(Aws):
    """AWS that answers from a table, each answer as often as it is asked for."""

    def __init__(self, answers: dict[str, Answers], region: str = "us-east-1") -> None:
        super().__init__(region, {}, aws_access_key_id="x", aws_secret_access_key="x")
        self.answers = answers
        self.asked: list[tuple[str, str, str]] = []

    def client(self, service: str, region: str = "", role_arn: str = "") -> Any:
        made = self._made(service, region or self._region, "")
        stub = Stubber(made)
        self.asked.append((service, region or self._region, role_arn))
        given = self.answers.get(service, {})
        real = made._make_api_call

        def answered(operation: str, arguments: dict[str, Any]) -> Any:
            method = next(name for name, api in made.meta.method_to_api_mapping.items() if api == operation)
            answer = given.get(method, {"code": "AccessDeniedException"})
            if "code" in answer:
                stub.add_client_error(method, service_error_code=answer["code"])
            else:
                stub.add_response(method, answer)
            return real(operation, arguments)

        made._make_api_call = answered
        stub.activate()
        return made
