"""A world of its own for each test that asks for one."""

from tests.waking import world

__all__ = ["world"]
