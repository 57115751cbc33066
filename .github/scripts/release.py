"""Puts a built release live: on ECS, with CodeDeploy, or on a host over SSH, by what the repository has set.

Runs on GitHub's runners with Python, the AWS CLI and ssh. The settings stand in image.py, release_ecs.py,
release_codedeploy.py and release_host.py, and besides those come through the environment:

    IMAGE                       the image by digest (empty for what has no Dockerfile), compared with the settings
    SHA, VERSION, DEPLOYMENT_ID, STRATEGY    what the event says
    SOURCE                      the checked-out commit

A rollback is the release of what was recorded when it was last healthy. What the step brought about goes to
$GITHUB_OUTPUT. It does not wait for a rollout on AWS: the bot watches that.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping

import image
import release_codedeploy
import release_ecs
import release_host
from runner import Aws, Refused, aws_cli, error, outputs

Releaser = Callable[[Mapping[str, str], Aws], dict[str, str]]


def kind(env: Mapping[str, str]) -> Releaser:
    """Who releases, by what is set. Raises Refused when nothing is."""
    if env.get("ECS_CLUSTER_NAME") and env.get("ECS_SERVICE_NAME"):
        return release_ecs.release
    if env.get("CODEDEPLOY_APP_NAME") and env.get("CODEDEPLOY_GROUP_NAME"):
        return release_codedeploy.release
    if env.get("EC2_HOST"):
        return release_host.release
    raise Refused(
        "Nothing says where to deploy. Set the repository's or the environment's variables ECS_CLUSTER_NAME and "
        "ECS_SERVICE_NAME, or CODEDEPLOY_APP_NAME and CODEDEPLOY_GROUP_NAME, or the secret EC2_HOST."
    )


def main() -> int:
    """Release, and hand on what came of it. 1 with the reason as an annotation of the run."""
    # A step that is cancelled is sent SIGINT, then SIGTERM; either way files with secrets are removed.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        release = kind(os.environ)
        image.compare(os.environ, aws_cli)
        outputs(release(os.environ, aws_cli))
    except Refused as refusal:
        print(error("Release", str(refusal)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
