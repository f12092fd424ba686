"""A world of its own for each test that asks for one."""

from tests.waking import on_postgres, world

__all__ = ["on_postgres", "world"]
