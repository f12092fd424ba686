"""What a rule of linkage is: blocking rules, comparisons, strong keys and vetoes, each a row of a table.

`organisation.py` and `person.py` hold the tables. SQL in a rule sees the features of two records as `l` and `r`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """What two records must share to be compared.

    Attributes:
        name: The rule's name.
        key: SQL over one feature row, giving a list of keys; NULL ones are none.
        largest: Records that may share a key; a key of more says nothing, and is left to narrower rules.
    """

    name: str
    key: str
    largest: int = 80


@dataclass(frozen=True, slots=True)
class Level:
    """One grade of agreement of a comparison.

    Attributes:
        label: What the grade is called.
        sql: SQL over `l` and `r` that reaches it.
        m: The share of pairs of one entity that reach it, assumed until training has seen enough.
        u: The same of pairs of two entities.
        frequency: A column whose rarity counts when the level is reached.
        agrees: Whether reaching it is an agreement, which is what an accepted link needs two of.
        share: How much of the rarity counts. All where the level is that the values are equal; less where it takes
            more than that, which strangers of a common value do not show either.
    """

    label: str
    sql: str
    m: float
    u: float
    frequency: str | None = None
    agrees: bool = True
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field's graded agreement, or that of several fields that say the same thing, so that nothing counts twice.

    Attributes:
        name: The comparison's name.
        missing: SQL over `l` and `r` that says one side has nothing to compare.
        levels: From the best to the least; what reaches none of them differs.
        taught_by: SQL over one feature row, giving a list of keys. Training learns m from pairs that share one of them:
            pairs that are of one entity for another reason than this comparison.
        identifies: Whether agreement here says who it is. An accepted link needs one such agreement, and one more of
            any kind; agreement on what many share (an employer, a telephone, a town) is only ever the other one.
        differs: The label of the last level.
        assumes_u: Whether u stays as assumed, because random pairs cannot teach what only colleagues or relatives show.
        labels: Whether it alone tells two entities from one where both sides state it: the best level says one, the
            last says two. Calibration reads the other comparisons by it.
    """

    name: str
    missing: str
    levels: tuple[Level, ...]
    taught_by: tuple[str, ...] = ()
    identifies: bool = True
    differs: str = "differs"
    assumes_u: bool = False
    labels: bool = False


@dataclass(frozen=True, slots=True)
class Tier:
    """A strong key: two records that share it are one entity, without asking the model, unless a veto stands.

    Attributes:
        name: The tier's name, as it appears in `link.tier`.
        key: SQL over one feature row, giving a list of keys. The key must be firmly asserted on both sides.
        guard: SQL over `l` and `r`, as stated, that must hold too.
        largest: Records that may share the key; what more share is no one's own.
        reason: Why the key is strong.
    """

    name: str
    key: str
    guard: str
    reason: str
    largest: int = 30


@dataclass(frozen=True, slots=True)
class Veto:
    """A rule that forbids a link whatever its weight.

    Attributes:
        name: The veto's name, as it appears in `link.veto`.
        sql: SQL over `l` and `r`, as stated.
        reason: Why it forbids.
        judges: The comparison that it is made of, where that labels pairs.
    """

    name: str
    sql: str
    reason: str
    judges: str | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Match weights, in bits, from which a pair is accepted, and from which it is in doubt.

    Two candidates in the same system are equally good when their weights are no further apart than `margin`.
    """

    accept: float
    review: float
    margin: float


@dataclass(frozen=True, slots=True)
class Linkage:
    """All that is declared about linking one record type.

    `attaches` says whether public values may attach a record, though they may never accept a link alone: one firm
    agreement (an employer that staff filed it under) with a public one (a name) then makes a link that joins this
    record to others and never two others through it.

    `agreements` says how many comparisons must firmly agree for a link by weight, `identifying` how many of them must
    say who it is.
    """

    record_type: str
    blocks: tuple[Block, ...]
    comparisons: tuple[Comparison, ...]
    tiers: tuple[Tier, ...]
    vetoes: tuple[Veto, ...]
    thresholds: Thresholds
    prior: float
    attaches: bool = False
    agreements: int = 2
    identifying: int = 1
