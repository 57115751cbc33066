"""Slack's refusals: HTTP 200 (or 429), `ok` false, and a code."""

from __future__ import annotations


class SlackError(Exception):
    """What a method answers instead of doing its work.

    `details` are the lines Slack puts into `response_metadata.messages` for malformed blocks and views.
    `retry_after` are whole seconds, for `ratelimited`.
    Codes: the errors of each method in web_api.yaml.
    """

    def __init__(self, code: str, *details: str, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.details = list(details)
        self.retry_after = retry_after
