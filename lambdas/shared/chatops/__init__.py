"""What the deploy bot's Lambdas share: the domain, its rules, and the few places that touch a network."""
