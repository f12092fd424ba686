"""What an attack is, and how all of them are run.

An attack is a function that tries something on fresh ground and returns in a few words what came of it, as `verb: code,
code`. It held where the verb is the expected one and every expected code was seen; anything else, an error too, counts
as a success of the attack, until somebody has looked at it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from attack.ground import Ground, Grounds, Missing

Run = Callable[[Ground], str]


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    Attributes:
        name: Group and name, by which docs/security.md calls it.
        told: What is tried, in a sentence.
        expected: What must be seen.
        run: Tries it, and says what was seen.
        quick: Whether the tests run it too.
    """

    name: str
    told: str
    expected: str
    run: Run
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an attack; `held` is nothing where what it needs is not there."""

    attack: Attack
    seen: str
    held: bool | None
    seconds: float


class Group:
    """The attacks on one thing, of one module or two.

    Args:
        name: What their names begin with.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.attacks: list[Attack] = []

    def attack(self, name: str, *, expected: str, quick: bool = False) -> Callable[[Run], Run]:
        """Make a function an attack; the first line of its docstring says what it tries."""

        def made(run: Run) -> Run:
            told = (run.__doc__ or "").partition("\n")[0]
            self.add(name, told, expected, run, quick=quick)
            return run

        return made

    def add(self, name: str, told: str, expected: str, run: Run, *, quick: bool = False) -> None:
        """Add an attack that is one of several alike."""
        self.attacks.append(Attack(f"{self.name}/{name}", told, expected, run, quick))


def held(expected: str, seen: str) -> bool:
    """Whether what was seen is what was expected: the same verb, and every code that was."""
    (verb, codes), (saw, others) = _parts(expected), _parts(seen)
    return verb == saw and codes <= others


def run_all(attacks: Iterable[Attack], grounds: Grounds) -> Iterator[Result]:
    """Make each attack on ground of its own."""
    for attack in attacks:
        started = time.monotonic()
        try:
            with grounds.fresh() as ground:
                seen = attack.run(ground)
            result = held(attack.expected, seen)
        except Missing as missing:
            seen, result = f"skipped: {missing}", None
        except Exception as error:  # noqa: BLE001  whatever it is: an attack that ends in an error was not refused
            seen, result = f"error: {type(error).__name__}: {str(error).partition(chr(10))[0]}", False
        yield Result(attack, seen, result, time.monotonic() - started)


def _parts(said: str) -> tuple[str, set[str]]:
    verb, _, codes = said.partition(": ")
    return verb, {code.strip() for code in codes.split(",") if code.strip()}
