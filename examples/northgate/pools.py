"""The words that Northgate is made of: names, streets, trades, titles, each a list to draw from.

Given and family names are those of Faker's British provider, with its weights, and some that carry accents or an
apostrophe, because a firm's lists have them too. Nothing here draws: `draws.sql` does.
"""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path
from typing import Any, Final

import yaml
from faker.providers.person.en_GB import Provider as People

_HERE: Final = Path(__file__).parent
_COMMON: Final = 10
"""How often a name of average weight stands in its list."""
_RARE: Final = 4
"""How often one that Faker lacks does."""


def words() -> dict[str, Any]:
    """What `words.yml` says, as it stands there."""
    loaded: dict[str, Any] = yaml.safe_load((_HERE / "words.yml").read_text(encoding="utf-8"))
    return loaded


def pools() -> dict[str, list[str]]:
    """Every pool by its name; a likelier value stands more often in its list."""
    stated = words()
    families: dict[str, float] = dict(People.last_names.items())
    givens = {name: 12.0 / (12 + rank) for rank, name in enumerate(People.first_names)}
    made = {
        "given": _weighted(givens, stated.pop("given")),
        "founders": sorted(families) + [name for name in stated["family"] if name.isalpha()],
        "family": _weighted(families, stated.pop("family")),
        "coined": ["".join(parts) for parts in product(stated.pop("coined_heads"), stated.pop("coined_tails"))],
        "streets": stated.pop("streets") + sorted(families)[::9],
    }
    return made | {name: values for name, values in stated.items() if name != "short_names"}


def short_names() -> dict[str, str]:
    """A given name and what its bearer is called by colleagues."""
    return dict(words()["short_names"])


def towns() -> list[dict[str, str]]:
    """Towns with their county, postcode area, number of districts, dialling code and first digit of its numbers."""
    with (_HERE / "towns.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _weighted(weights: dict[str, float], rare: list[str]) -> list[str]:
    average = sum(weights.values()) / len(weights)
    drawn = [name for name, weight in sorted(weights.items()) for _ in range(max(1, round(weight / average * _COMMON)))]
    return drawn + [name for name in rare for _ in range(_RARE)]
