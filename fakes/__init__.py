"""The external services that a run on one machine and the tests need: Slack, GitHub, ECS, CodeDeploy, STS.

Each is held to its vendor's own description in `tests/contract/`. Nothing here imports the engine or the
page.
"""
