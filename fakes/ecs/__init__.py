"""A fake for Amazon ECS: one service whose rollouts move with the clock.

It speaks the JSON 1.1 protocol, so boto3 talks to it with nothing but another endpoint. What moto lacks and a
deploy bot needs is here: service deployments, service revisions, the circuit breaker, and stopping a rollout.
"""

from fakes.ecs.model import Rollout
from fakes.ecs.server import Ecs

__all__ = ["Ecs", "Rollout"]
