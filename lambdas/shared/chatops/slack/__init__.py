"""Slack: the signature, the Web API, and who is who."""
