"""Draws for one row at a time, from a block of numbers made at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Luck:
    """One row's draws, used up from the first to the last.

    Args:
        numbers: From 0 to 1; there must be as many as the row asks for.
    """

    __slots__ = ("_numbers",)

    def __init__(self, numbers: list[float]) -> None:
        self._numbers = iter(numbers)

    def strikes(self, share: float) -> bool:
        """Whether what happens to this share of rows happens here."""
        return next(self._numbers) < share

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, each as likely as the next."""
        return choices[int(next(self._numbers) * len(choices))]

    def below(self, count: int) -> int:
        """A whole number from 0 to below `count`."""
        return int(next(self._numbers) * count)
