"""Attacks on a real home, store and tools, each with what it must come to: no part of the product."""
