"""What the deploy bot's Lambdas share: the domain, its rules, and the few places that touch a network."""

SCHEMA = 2
"""The version of execution input, plans and table rows. `schema.py` brings up what was written before."""
PIPELINE_SCHEMA = 1
"""The version of what a pipeline is sent (`client_payload`). Pipelines are copied into repositories, and change when
their owners change them; so this number changes only with what they read."""
