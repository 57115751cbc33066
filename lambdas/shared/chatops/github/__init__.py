"""GitHub: pure readers of its replies, and one small client that touches the network."""
