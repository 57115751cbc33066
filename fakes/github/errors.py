"""GitHub's refusals: a status and its body `{message, documentation_url, status}`."""

from __future__ import annotations

from collections.abc import Mapping

DOCS = "https://docs.github.com/rest"

USUAL_MESSAGES = {
    400: "Problems parsing JSON",
    401: "Bad credentials",
    403: "Resource not accessible by personal access token",
    404: "Not Found",
    409: "Conflict",
    422: "Validation Failed",
    500: "Server Error",
    502: "Server Error",
    503: "Service Unavailable",
}


class ApiError(Exception):
    """Refuse the request in hand with `status` and GitHub's body; `errors` lists fields for a 422."""

    def __init__(self, status: int, message: str | None = None, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(message or usual_message(status))
        self.status = status
        self.message = message or usual_message(status)
        self.errors = errors


def usual_message(status: int) -> str:
    """GitHub's words for a status when there is nothing more exact to say."""
    return USUAL_MESSAGES.get(status, "Server Error" if status >= 500 else "Not Found")


def error_body(
    status: int, message: str, docs: str = "", errors: list[dict[str, str]] | None = None
) -> Mapping[str, object]:
    """The JSON body; `docs` is the endpoint's page below docs.github.com/rest."""
    body: dict[str, object] = {"message": message}
    if errors:
        body["errors"] = errors
    body["documentation_url"] = f"{DOCS}/{docs}" if docs else DOCS
    body["status"] = str(status)
    return body
