"""The last steps of insight: a candidate graph, what is asked of it, and its publication."""
