"""The pipeline's two calls to the bot: `claim` in the first step, `finish` in the last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import requests

TIMEOUT_SECONDS = 120
"""Real ones. The pipeline's own ten are not enough where two processors have a hundred requests before them, and a
request that is given up and sent again is one more."""
PAUSES = (1, 2, 4, 8, 15, *[30] * 19)
"""Simulated seconds between two tries: ten minutes, as the pipeline's own."""
UNREACHABLE = 0


@dataclass(frozen=True)
class Bot:
    """Where the workflow says that the bot is, and how a job proves there who it is: with a new `token` each time."""

    url: str
    token: Callable[[], str]

    def post(
        self, what: str, body: Mapping[str, object], wait: Callable[[float], object]
    ) -> tuple[int, Mapping[str, object]]:
        """POST JSON to `/stages/claim` or `/stages/finish` as the workflow's script does: a refusal is final, an
        unreachable or broken bot is tried again.

        Returns the HTTP status (0: never reached) and the JSON object answered. `wait` takes simulated seconds.
        """
        status = UNREACHABLE
        for pause in (0, *PAUSES):
            if pause:
                wait(pause)
            headers = {"Authorization": f"Bearer {self.token()}"}
            try:
                # The bot runs on this machine: a proxy from the environment would only lead astray.
                with requests.Session() as session:
                    session.trust_env = False
                    url = f"{self.url}/stages/{what}"
                    answer = session.post(url, json=dict(body), headers=headers, timeout=TIMEOUT_SECONDS)
            except requests.RequestException:
                status = UNREACHABLE
                continue
            status = answer.status_code
            if status < 500:
                return status, _object(answer)
        return status, {}


def _object(answer: requests.Response) -> Mapping[str, object]:
    try:
        parsed = answer.json()
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
