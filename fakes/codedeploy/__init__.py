"""A fake for AWS CodeDeploy: deployment groups whose deployments move with the clock.

moto's CodeDeploy keeps every deployment `Created` for ever, and has neither StopDeployment nor pages, rollbacks of its
own, or what a group deployed last; a deploy bot needs all four.
"""

from fakes.codedeploy.model import Course
from fakes.codedeploy.server import CodeDeploy

__all__ = ["CodeDeploy", "Course"]
