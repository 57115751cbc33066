"""What each step of the state machine does, once: one module a step, one function that its Lambda calls."""
