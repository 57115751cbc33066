"""What the message of a failed rollback tells people to type does it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chatops.messages.catalogue import plain
from fakes.codedeploy.server import revision_of
from tests.unit.codedeploy_session import Session, batch, door

__all__ = ["batch", "door"]
AWS = """#!{python}
import json, sys
sys.path.insert(0, {tests!r})
from tests.unit.aws_shape import Cli
words = sys.argv[1:]
given = dict(zip(words[2::2], words[3::2]))
query = given.pop("--query", "")
given.pop("--output", "")
answer = Cli({{"codedeploy": {url!r}}})(*words[:2], *(word for pair in given.items() for word in pair))
for name in query.split(".") if query else []:
    answer = answer[name]
print(json.dumps(answer, default=str))
"""
"""An AWS CLI of two options of its own, on botocore."""


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["Server", "ECS"])
def test_the_command_by_hand_does_it(batch: Session, platform: str, tmp_path: Path) -> None:
    """As the message says it, in a shell, with an `aws` that asks the fake."""
    batch.group.platform = platform
    batch.first.revision = revision_of(batch.group, "v1")
    batch.fail()
    said = plain("by_hand_codedeploy", {"application": "batch", "group": "live", "deployment": batch.first.id})
    command = said.partition("`")[2].rpartition("`")[0]
    program = tmp_path / "aws"
    program.write_text(AWS.format(python=sys.executable, url=batch.url, tests=str(Path(__file__).parents[2])))
    program.chmod(0o755)
    run = subprocess.run(
        ["bash", "-c", command], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert batch.all()[-1].revision == batch.first.revision
    assert batch.made()[-1].id in run.stdout
