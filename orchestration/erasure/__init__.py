"""Forgetting a person, and obeying whoever objects."""
