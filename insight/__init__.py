"""The insight team: reads sources, writes none, and reconciles them into one graph."""
