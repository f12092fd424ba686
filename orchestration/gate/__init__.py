"""Standing, policy and permits: the one way in to an effect."""
