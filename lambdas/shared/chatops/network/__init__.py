"""How a function reaches other services: deadlines, connections, TLS, assumed roles."""
