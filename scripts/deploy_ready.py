"""Whether a pipeline has what it needs to deploy the stack; a repository without is no failure, and is told.

The first step of .github/workflows/deploy-lambda.yml: nothing but Python is there yet.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def missing(env: Mapping[str, str]) -> str:
    """What a deployment lacks, in words; empty where it can begin. HAS_… are `true` or `false`, never a secret."""
    has = {name: env.get(f"HAS_{name}") == "true" for name in ("ROLE", "KEY_ID", "KEY", "REGION")}
    if not has["ROLE"] and not (has["KEY_ID"] and has["KEY"]):
        if has["KEY_ID"] != has["KEY"]:
            return "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is set and the other is not"
        return "neither AWS_ROLE_ARN nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set"
    return "" if has["REGION"] else "AWS_REGION is not set"


def ready(env: Mapping[str, str]) -> int:
    """Tell later steps, and people, whether there is anything to deploy with. A repository without is no failure."""
    lacks = missing(env)
    append(env, "GITHUB_OUTPUT", f"ready={'false' if lacks else 'true'}\n")
    if lacks:
        text = (
            f"The stack was not deployed: {lacks}. Deploy it by hand (make deploy), or give "
            "the environment `bot` of this repository a role: templates/bootstrap.yaml makes it and says how."
        )
        print(f"::notice title=Not deployed::{text}")
        append(env, "GITHUB_STEP_SUMMARY", f"### Not deployed\n\n{text}\n")
    return 0


def append(env: Mapping[str, str], name: str, text: str) -> None:
    """Add to one of the runner's files (GITHUB_OUTPUT, GITHUB_STEP_SUMMARY), where there is one."""
    if path := env.get(name):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    sys.exit(ready(os.environ))
