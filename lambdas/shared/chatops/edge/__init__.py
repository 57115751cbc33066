"""The Slack edge: verify, then answer within three seconds, after which Slack tells the person that the app did not
answer."""

BUDGET = 2.4
"""Seconds from the request's arrival, for everything that is done about it."""

REPLY_BUDGET = 0.3
"""Seconds more for the reply to a person who pressed a button: Slack shows them only what a request brings."""

SIGNING = 1.8
"""Seconds for the signature, of those: the secret may have to be read."""

SLACK = 3.0
"""Seconds that Slack waits for an answer.
https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response"""

PATIENCE = 0.25
"""Of a step's timeouts (see `aws.client`), for each call on the way."""
