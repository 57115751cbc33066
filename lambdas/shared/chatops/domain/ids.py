"""Ids of deployments and buttons."""

from __future__ import annotations

import base64
import hashlib
import re

EXECUTION_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,80}")
"""What Step Functions accepts as a name. Executions started in the console keep their own, which is their id here.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""
DEPLOY_TO = "deploy_to:"
"""What the action of a *Deploy to …* button begins with; the target's name follows."""


def deployment_id(team_id: str, key: str) -> str:
    """`d-` and 12 characters that derive from the Slack delivery (`key`: its trigger_id), so that the same delivery,
    however often it arrives, names the same execution. StartExecution then is the idempotency gate.

    Names of executions: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    digest = hashlib.sha256(f"{team_id}/{key}".encode()).digest()
    return "d-" + base64.b32encode(digest).decode().lower()[:12]
