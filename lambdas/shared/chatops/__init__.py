"""What the deploy bot's Lambdas share: the domain, its rules, and the few places that touch a network."""

SCHEMA = 1
"""The version of execution input, payloads and table rows. Readers accept this one and the one before."""
