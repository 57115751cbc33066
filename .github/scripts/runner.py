"""What the other scripts share: the runner's own words, and the AWS CLI that GitHub's runners bring along.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Aws = Callable[..., dict[str, Any]]
"""`aws("ecs", "describe-services", "--cluster", "checkout", …)`: the CLI's JSON answer; raises Refused."""


class Refused(Exception):
    """The step cannot do its work; the text says what to set or fix, and carries no secret."""


def error(title: str, text: str) -> str:
    """An annotation of the run. A workflow command ends at its line's end: the text must not begin another one."""
    safe = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error title={title}::{safe}"


def outputs(values: Mapping[str, str]) -> None:
    """Hand values to later steps, and show them. Raises Refused for a value with a line break: it would be two."""
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as file:
        for name, value in values.items():
            if "\n" in value or "\r" in value:
                raise Refused(f"{name} has a line break in it.")
            file.write(f"{name}={value}\n")
            print(f"{name}: {value}")


PATIENCE = {"AWS_RETRY_MODE": "standard", "AWS_MAX_ATTEMPTS": "10"}
"""Of the AWS CLI while AWS throttles it or does not answer: a minute or two, in place of its own three tries.
https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-retries.html"""


def aws_cli(*arguments: str) -> dict[str, Any]:
    """Run the AWS CLI; its JSON answer. Raises Refused with the CLI's own last words."""
    words = ["aws", *arguments, "--output", "json", "--no-cli-pager"]
    done = subprocess.run(words, env=PATIENCE | os.environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"aws {' '.join(arguments[:2])} failed: {done.stderr.strip()[-500:]}")
    answer: dict[str, Any] = json.loads(done.stdout or "{}")
    return answer
