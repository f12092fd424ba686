"""Records become links."""
