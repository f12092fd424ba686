"""The action team: agents that propose and never write."""
