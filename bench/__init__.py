"""What the Slack edge costs, beside the same edge written with Bolt, Slack's own framework for Python: `make bench`."""
