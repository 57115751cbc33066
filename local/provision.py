"""What the targets name, made in the fakes: services, groups, machines, roles, repositories and their workflows.

A target's pipeline changes what that target names, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatops.domain.target import Target
from fakes.aws_json import ACCOUNT, HERE, Place
from fakes.clock import Clock
from fakes.codedeploy import CodeDeploy
from fakes.codedeploy.model import Group
from fakes.codedeploy.server import Pipeline
from fakes.ecs import Ecs, names
from fakes.github.files import workflows_of
from fakes.github.pipeline import Deployer
from fakes.github.repository import Repository
from fakes.github.seed import sample
from fakes.sts import Sts
from local.guard import App
from local.hosts import Hosts


def place_of(target: Target) -> Place:
    """The account and region of what the target names."""
    account = target.role_arn.split(":")[4] if target.role_arn else ACCOUNT
    return Place(account, target.region or HERE.region)


def repositories(targets: Mapping[str, Target], now: float) -> list[Repository]:
    """Every repository that a target is deployed from, once, whatever its capitals (GitHub tells no two apart)."""
    by_name: dict[str, list[Target]] = {}
    for target in targets.values():
        by_name.setdefault(target.repository.lower(), []).append(target)
    return [sample(of[0].repository, now, workflows_of(of), n) for n, of in enumerate(by_name.values())]


@dataclass
class Platforms:
    """Where targets are deployed to."""

    ecs: Ecs
    codedeploy: CodeDeploy
    hosts: Hosts
    sts: Sts

    @classmethod
    def empty(cls, clock: Clock) -> Platforms:
        """With nothing in them."""
        made = cls(Ecs(clock, service=""), CodeDeploy(clock), Hosts(), Sts())
        made.ecs.account_of = made.codedeploy.account_of = made.sts.account_of
        return made

    def services(self) -> dict[str, App]:
        """Those that are asked at `/`, by what X-Amz-Target begins with."""
        return {each.target.rstrip("."): each.app for each in (self.ecs, self.codedeploy)}

    def add(self, targets: Mapping[str, Target]) -> dict[str, Deployer]:
        """Make what these targets name; what each one's pipeline changes. Each runs v1.0.0, or has a first revision."""
        self.sts.roles |= {target.role_arn for target in targets.values() if target.role_arn}
        made: dict[tuple[str, ...], Deployer] = {}
        for target in targets.values():
            if _key(target) not in made:
                made[_key(target)] = self._made(target)
        return {name: made[_key(target)] for name, target in targets.items()}

    def _made(self, target: Target) -> Deployer:
        place = place_of(target)
        if target.kind == "ecs":
            self.ecs.add_service(target.service, first_image(target), 4, target.cluster, place, _roles(target, place))
            return self.ecs.deployer(target.service, target.cluster, place)
        if target.kind == "codedeploy":
            where = (target.codedeploy_application, target.codedeploy_group)
            self.codedeploy.add_group(*where, place=place)
            return Pipeline(self.codedeploy, *where, place)
        return self.hosts.deployer(target.name)

    def codedeploy_group(self, target: Target) -> Group:
        """The deployment group of a target of CodeDeploy's."""
        groups = self.codedeploy.at(place_of(target)).groups
        return groups[target.codedeploy_application, target.codedeploy_group]

    def live(self, target: Target) -> str:
        """What is live now: the service's image, the group's or the machines' version."""
        place = place_of(target)
        if target.kind == "ecs":
            return self.ecs.running_image(target.service, target.cluster, place)
        if target.kind == "codedeploy":
            return self.codedeploy.running(target.codedeploy_application, target.codedeploy_group, place)
        return self.hosts.running[target.name]


def _key(target: Target) -> tuple[str, ...]:
    """Targets that name the same service or group share it, as they would on AWS."""
    if target.kind == "ecs":
        return (*place_of(target), "ecs", target.cluster, target.service)
    if target.kind == "codedeploy":
        return (*place_of(target), "codedeploy", target.codedeploy_application, target.codedeploy_group)
    return ("hosts", target.name)


def first_image(target: Target) -> str:
    """The image that the target's service runs before anybody has deployed here."""
    name = target.repository.rpartition("/")[2].lower()
    return f"{ACCOUNT}.dkr.ecr.{names.REGION}.amazonaws.com/{name}:v1.0.0"


def _roles(target: Target, place: Place) -> dict[str, str]:
    found = {"executionRoleArn": target.execution_role, "taskRoleArn": target.task_role}
    return {key: f"arn:aws:iam::{place.account}:role/{name}" for key, name in found.items() if name}
