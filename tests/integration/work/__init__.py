"""Batches out to the agents and answers back: triggers, the exchange, agent code, intake."""
