"""The embedded run: the whole bot on one machine, with stand-ins for the far ends only."""
