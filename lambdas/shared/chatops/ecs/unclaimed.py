"""What a pipeline without our steps has brought: nobody reports it, so the service is asked what began since the
pipeline's run was asked for. The lock keeps other deployments of ours away; what somebody begins by hand meanwhile is
taken for the run's, as nothing tells the two apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chatops.ecs.verdict import ServiceDeployment, primary


def task_definition(service: Mapping[str, Any], deployments: Sequence[ServiceDeployment], since: float) -> str:
    """The task definition that the newest deployment since then (epoch seconds) brings; empty where there is none.

    `service`: as DescribeServices has it, for services without service deployments.
    """
    if deployments:
        newest = max(deployments, key=lambda d: d.created_at)
        return newest.task_definition if newest.created_at >= since else ""
    main = primary(service)
    began = main["createdAt"].timestamp() if "createdAt" in main else 0.0
    return str(main.get("taskDefinition", "")) if began >= since else ""
