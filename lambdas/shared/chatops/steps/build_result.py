"""What a build must have made before anybody is asked to approve it."""

from __future__ import annotations

from chatops.domain.plan import Plan
from chatops.domain.reason import Reason
from chatops.domain.results import StageResult
from chatops.domain.stage import Outputs
from chatops.domain.target import Target
from chatops.steps.poll_timing import ended

_RUNNERS = {"ARM64": "ubuntu-24.04-arm", "X86_64": "ubuntu-latest"}
_DOCKERS = {"ARM64": "arm64", "X86_64": "amd64"}
"""ECS's names of architectures, and GitHub's runners and Docker's names of the same."""


def fitting(result: StageResult, plan: Plan, target: Target) -> StageResult:
    """The build's result; failed where the service runs images and it made none, or one for other processors. Pipelines
    that don't claim report neither."""
    if result.state != "succeeded" or not target.claim:
        return result
    outputs = result.outputs or Outputs()
    if not outputs.image and plan.live and plan.live.image:
        return ended(result, "failed", Reason("why_no_image", environment=target.environment("build")))
    built, wanted = (outputs.platform or "").partition("/")[2], plan.architecture
    if built and wanted in _DOCKERS and built.partition("/")[0] != _DOCKERS[wanted]:
        why = Reason("why_other_platform", wanted=wanted, built=outputs.platform or "", runner=_RUNNERS[wanted])
        return ended(result, "failed", why)
    return result
