"""Northgate's tool servers: a process for each system that is written to, with that system's write credential alone."""
