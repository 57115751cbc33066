"""How long the edge takes: Slack waits three seconds, then tells the person that the app did not answer."""

BUDGET = 2.4
"""Seconds for everything behind the signature."""

PATIENCE = 0.25
"""Of a step's timeouts (see `aws.client`), for each call on the way."""
