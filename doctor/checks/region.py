"""Are the regions ones that exist, and do names of the stack lie in the region that is used?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from doctor.installation import Installation
from doctor.result import Result, failed, ok


@cache
def known() -> frozenset[str]:
    """Every region that has ECS, by botocore's own list (no request)."""
    import boto3

    session = boto3.Session()
    return frozenset(
        r for part in session.get_available_partitions() for r in session.get_available_regions("ecs", part)
    )


def look(installation: Installation, _: str) -> Iterator[Result]:
    """Nothing is asked: names are compared."""
    here = installation.settings.region
    problems = [*_unknown(installation), *_elsewhere(installation, here)]
    yield from problems
    if not problems:
        others = sorted({target.region for target in installation.targets.values()} - {"", here})
        yield ok(f"The bot is in {here}" + (f", with targets in {', '.join(others)}." if others else "."))


def _unknown(installation: Installation) -> Iterator[Result]:
    used = {installation.settings.region: "AWS_REGION"}
    used |= {one.region: f"{one.name}'s region in targets.yaml" for one in installation.targets.values() if one.region}
    for region, where in used.items():
        if region not in known():
            yield failed(
                f"There is no region {region!r} ({where}).",
                "Every call of AWS there fails without an answer.",
                f"Set {where} to a region's code, such as ap-northeast-2.",
                "https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html",
            )


def _elsewhere(installation: Installation, here: str) -> Iterator[Result]:
    names = {
        "CHATOPS_STATE_MACHINE_ARN": installation.settings.state_machine_arn,
        "CHATOPS_SLACK_SECRET_ARN": installation.settings.slack_secret_arn,
        "CHATOPS_GITHUB_SECRET_ARN": installation.settings.github_secret_arn,
    }
    for name, arn in names.items():
        parts = arn.split(":")
        if arn.startswith("arn:") and len(parts) > 3 and parts[3] != here:
            yield failed(
                f"{name} lies in {parts[3]}, and the bot's region is {here}.",
                "The functions ask in their own region and find nothing there.",
                "Set AWS_REGION to the stack's region.",
            )
