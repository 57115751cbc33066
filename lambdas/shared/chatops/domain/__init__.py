"""What the bot is about: deployments, their plans and results. Imports nothing that touches a network."""
