"""Triggers, handoffs, the outbox: how work moves between the teams."""
