"""Resources by scope."""
