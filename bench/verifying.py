"""Verification of one signature: ours and slack_sdk's in turn, in one process. Prints one JSON object."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from slack_sdk.signature import SignatureVerifier

from bench import requests
from bench.fakes import SIGNING_SECRET
from chatops.edge.signature import verified

ROUNDS, TIMES = 15, 2000


def main() -> dict[str, list[float]]:
    """Seconds for one, by side, one number a round."""
    event = requests.command(SIGNING_SECRET)
    headers, body, sdk = event["headers"], event["body"], SignatureVerifier(SIGNING_SECRET)
    sides: dict[str, Callable[[], bool]] = {
        "ours": lambda: verified(headers, body.encode(), SIGNING_SECRET, time.time()),
        "peer": lambda: sdk.is_valid_request(body, headers),
    }
    assert all(side() for side in sides.values())
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            began = time.perf_counter()
            for _ in range(TIMES):
                side()
            found[name].append((time.perf_counter() - began) / TIMES)
    return found


if __name__ == "__main__":
    print(json.dumps(main()))
