"""Links become entities with stable ids and golden records."""
