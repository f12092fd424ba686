"""Links become clusters: nothing forbidden together, nothing merged by strangers, whatever the order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from insight.entities.cluster import (
    ALIAS,
    BY_ANCHOR,
    BY_BRIDGE,
    BY_SIZE,
    BY_TWICE,
    BY_VETO,
    KEPT,
    MODEL,
    PUBLIC,
    TIER,
    Clusters,
    Edges,
    Records,
    Vetoes,
    cluster,
)

Link = tuple[int, int, int, float]


def clusters(  # noqa: PLR0913  what a cluster depends on
    size: int,
    links: list[Link],
    vetoes: list[tuple[int, int]] | None = None,
    anchored: list[bool] | None = None,
    *,
    believable: int = 60,
    rare: list[int] | None = None,
    hard: bool = False,
    weak: float = 0.0,
) -> Clusters:
    edges = np.array([link[:3] for link in links], dtype=np.int64).reshape(-1, 3)
    forbidden = np.array(vetoes or [], dtype=np.int64).reshape(-1, 2)
    return cluster(
        Records(
            np.array(anchored if anchored is not None else [True] * size, dtype=np.bool_),
            np.array(rare or [0] * size, dtype=np.int64),
        ),
        Edges(edges[:, 0], edges[:, 1], edges[:, 2], np.array([link[3] for link in links], dtype=np.float64)),
        Vetoes(forbidden[:, 0], forbidden[:, 1], np.full(len(forbidden), hard)),
        believable=believable,
        weak=weak,
    )


def test_no_records_make_no_clusters() -> None:
    assert clusters(0, []).label.tolist() == []


def test_a_cluster_is_named_by_its_first_record() -> None:
    assert clusters(4, [(3, 2, MODEL, 9.0), (2, 1, MODEL, 9.0)]).label.tolist() == [0, 1, 1, 1]


def test_of_two_links_to_a_forbidden_pair_the_stronger_holds() -> None:
    found = clusters(3, [(0, 1, MODEL, 9.0), (1, 2, MODEL, 12.0)], [(0, 2)])
    assert found.label.tolist() == [0, 1, 1]
    assert found.fate.tolist() == [BY_VETO, KEPT]


def test_a_strong_key_goes_before_any_weight() -> None:
    found = clusters(3, [(0, 1, TIER, 2.0), (1, 2, MODEL, 40.0)], [(0, 2)])
    assert found.label.tolist() == [0, 0, 2]


def test_a_veto_binds_whoever_has_joined_either_side() -> None:
    chain = [(0, 1, TIER, 9.0), (2, 3, TIER, 9.0), (1, 2, MODEL, 9.0)]
    assert clusters(4, chain, [(0, 3)]).label.tolist() == [0, 0, 2, 2]


def test_a_source_that_merged_its_own_rows_is_believed_against_a_veto() -> None:
    assert clusters(2, [(0, 1, ALIAS, 0.0)], [(0, 1)]).label.tolist() == [0, 0]


def test_a_person_is_believed_against_a_source_that_merged_its_own_rows() -> None:
    assert clusters(2, [(0, 1, ALIAS, 0.0)], [(0, 1)], hard=True).label.tolist() == [0, 1]


def test_no_chain_bridges_what_a_person_said_is_different_and_its_weakest_link_gives_way() -> None:
    chain = [(0, 1, TIER, 9.0), (1, 2, MODEL, 4.0), (2, 3, MODEL, 9.0), (3, 4, ALIAS, 0.0)]
    found = clusters(5, chain, [(0, 4)], hard=True)
    assert found.label.tolist() == [0, 0, 2, 2, 2]
    assert found.fate.tolist() == [KEPT, BY_VETO, KEPT, KEPT]


def test_what_is_the_same_is_the_same_whatever_rule_forbids_it() -> None:
    links = [(0, 1, TIER, 9.0), (1, 2, ALIAS, 0.0), (2, 3, TIER, 9.0)]
    assert clusters(4, links, [(1, 2), (0, 3)]).label.tolist() == [0, 0, 0, 3]


def test_two_records_of_a_system_that_rarely_has_two_are_parted_at_the_weakest_link_between_them() -> None:
    chain = [(0, 1, MODEL, 9.0), (1, 2, MODEL, 4.0), (2, 3, MODEL, 8.0)]
    found = clusters(4, chain, rare=[1, 0, 0, 1])
    assert found.label.tolist() == [0, 0, 2, 2]
    assert found.fate.tolist() == [KEPT, BY_TWICE, KEPT]


def test_two_records_of_such_a_system_stay_together_where_a_strong_key_or_a_merge_says_so() -> None:
    for strength in (ALIAS, TIER):
        links = [(0, 1, strength, 0.0), (1, 2, MODEL, 9.0)]
        assert clusters(3, links, rare=[1, 1, 0]).label.tolist() == [0, 0, 0]
    chain = [(0, 1, TIER, 9.0), (1, 2, TIER, 9.0)]
    assert clusters(3, chain, rare=[1, 0, 1]).label.tolist() == [0, 0, 0]


def test_records_of_two_such_systems_may_be_one() -> None:
    assert clusters(2, [(0, 1, MODEL, 9.0)], rare=[1, 2]).label.tolist() == [0, 0]


PAIRS_BRIDGED = [(0, 1, MODEL, 9.0), (2, 3, MODEL, 9.0), (1, 2, MODEL, 4.0)]


def test_one_weak_link_does_not_hold_two_groups_together() -> None:
    found = clusters(4, PAIRS_BRIDGED, weak=5.0)
    assert found.label.tolist() == [0, 0, 2, 2]
    assert found.fate.tolist() == [KEPT, KEPT, BY_BRIDGE]


def test_a_second_link_between_two_groups_holds_them_together() -> None:
    assert clusters(4, [*PAIRS_BRIDGED, (0, 3, MODEL, 4.0)], weak=5.0).label.tolist() == [0, 0, 0, 0]


def test_a_strong_or_heavy_link_is_no_weak_bridge_nor_is_one_that_brings_a_single_record() -> None:
    assert clusters(4, PAIRS_BRIDGED, weak=4.0).label.tolist() == [0, 0, 0, 0]
    strong = [*PAIRS_BRIDGED[:2], (1, 2, TIER, 4.0)]
    assert clusters(4, strong, weak=5.0).label.tolist() == [0, 0, 0, 0]
    assert clusters(3, [(0, 1, MODEL, 9.0), (1, 2, MODEL, 4.0)], weak=5.0).label.tolist() == [0, 0, 0]


def test_a_veto_elsewhere_touches_nothing_here() -> None:
    found = clusters(5, [(0, 1, MODEL, 9.0), (3, 4, MODEL, 9.0)], [(0, 2)])
    assert found.label.tolist() == [0, 0, 2, 3, 3]


def test_public_values_attach_a_record_to_the_better_of_two_and_merge_them_never() -> None:
    found = clusters(3, [(0, 1, PUBLIC, 8.0), (1, 2, PUBLIC, 9.0)], anchored=[True, False, True])
    assert found.label.tolist() == [0, 1, 1]
    assert found.fate.tolist() == [BY_ANCHOR, KEPT]


def test_several_strangers_attach_to_one_record() -> None:
    links = [(0, 1, PUBLIC, 8.0), (0, 2, PUBLIC, 9.0), (1, 2, PUBLIC, 3.0)]
    assert clusters(3, links, anchored=[True, False, False]).label.tolist() == [0, 0, 0]


def test_an_unbelievable_cluster_falls_back_to_strong_keys_and_is_marked() -> None:
    links = [(n, n + 1, TIER if n % 2 else MODEL, 9.0) for n in range(5)]
    found = clusters(7, links, believable=4)
    assert found.label.tolist() == [0, 1, 1, 3, 3, 5, 6]
    assert found.unbelievable.tolist() == [True] * 6 + [False]
    assert found.fate.tolist() == [BY_SIZE, KEPT, BY_SIZE, KEPT, BY_SIZE]


def test_a_crowd_of_strangers_is_left_out_and_marks_nobody() -> None:
    links = [(0, 1, MODEL, 9.0), *((0, n, PUBLIC, 9.0) for n in range(2, 7))]
    found = clusters(7, links, anchored=[True, True, *[False] * 5], believable=4)
    assert found.label.tolist() == [0, 0, 2, 3, 4, 5, 6]
    assert not found.unbelievable.any()


@dataclass(frozen=True)
class World:
    size: int
    links: list[Link]
    vetoes: list[tuple[int, int]]
    anchored: list[bool]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    size = draw(st.integers(2, 12))
    nodes = st.integers(0, size - 1)
    pairs = st.tuples(nodes, nodes).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: (min(pair), max(pair)))
    chosen = draw(st.lists(pairs, unique=True, max_size=24))
    links = [
        (*pair, draw(st.sampled_from([ALIAS, TIER, MODEL, PUBLIC])), float(draw(st.integers(0, 3)))) for pair in chosen
    ]
    vetoes = draw(st.lists(pairs, unique=True, max_size=6))
    return World(size, links, vetoes, draw(st.lists(st.booleans(), min_size=size, max_size=size)))


@given(worlds(), st.randoms(use_true_random=False))
def test_clusters_ignore_the_order_of_links_and_vetoes(world: World, random: np.random.Generator) -> None:
    expected = clusters(world.size, world.links, world.vetoes, world.anchored).label.tolist()
    links, vetoes = list(world.links), [pair[::-1] for pair in world.vetoes]
    random.shuffle(links)  # type: ignore[arg-type]
    random.shuffle(vetoes)  # type: ignore[arg-type]
    turned = [(b, a, strength, weight) for a, b, strength, weight in links]
    assert clusters(world.size, turned, vetoes, world.anchored).label.tolist() == expected


@given(worlds())
def test_no_cluster_holds_a_forbidden_pair_unless_its_source_merged_it(world: World) -> None:
    links = [link for link in world.links if link[2] != ALIAS]
    label = clusters(world.size, links, world.vetoes, world.anchored).label
    assert all(label[one] != label[other] for one, other in world.vetoes)


@given(worlds())
def test_no_cluster_holds_what_a_person_keeps_apart(world: World) -> None:
    label = clusters(world.size, world.links, world.vetoes, world.anchored, hard=True).label
    assert all(label[one] != label[other] for one, other in world.vetoes)


_HELD = [(0, 1, ALIAS, 0.0), (0, 2, ALIAS, 0.0), (0, 4, ALIAS, 0.0), (0, 5, ALIAS, 0.0), (0, 6, ALIAS, 0.0)]


@given(worlds())
@example(World(8, [*_HELD, (3, 7, ALIAS, 0.0), (1, 3, MODEL, 0.0), (0, 3, PUBLIC, 0.0)], [], [False] * 6 + [True] * 2))
def test_public_links_never_join_what_firm_links_leave_apart(world: World) -> None:
    firm = [link for link in world.links if link[2] != PUBLIC]
    apart = clusters(world.size, firm, world.vetoes, world.anchored).label
    together = clusters(world.size, world.links, world.vetoes, world.anchored).label
    held = [node for node in range(world.size) if world.anchored[node]]
    for one in held:
        for other in held:
            if apart[one] != apart[other]:
                assert together[one] != together[other]


@given(worlds())
def test_what_no_link_joins_stays_alone(world: World) -> None:
    label = clusters(world.size, world.links, world.vetoes, world.anchored).label
    linked = {node for link in world.links for node in link[:2]}
    assert all(label[node] == node for node in range(world.size) if node not in linked)


def test_what_public_values_bring_to_a_cluster_is_attached_with_all_that_is_firmly_its_own() -> None:
    links = [(0, 1, TIER, 9.0), (1, 2, PUBLIC, 8.0), (2, 3, TIER, 9.0)]
    found = clusters(5, links, anchored=[True, False, False, False, False])
    assert found.label.tolist() == [0, 0, 0, 0, 4]
    assert found.attached.tolist() == [False, False, True, True, False]


def test_where_nobody_accountable_asserts_a_name_each_is_attached_to_the_other() -> None:
    found = clusters(3, [(0, 1, PUBLIC, 8.0)], anchored=[False, False, False])
    assert found.attached.tolist() == [True, True, False]


def test_a_link_of_public_values_beside_a_firm_one_attaches_nothing() -> None:
    found = clusters(3, [(0, 1, PUBLIC, 8.0), (0, 2, MODEL, 9.0), (1, 2, ALIAS, 0.0)], anchored=[True, False, False])
    assert found.attached.tolist() == [False, False, False]


def whole(first: int, last: int) -> list[Link]:
    """Every pair of some records, linked by the model."""
    return [(one, other, MODEL, 20.0) for one in range(first, last) for other in range(one + 1, last)]


def test_one_link_does_not_make_one_of_two_groups_of_many_records() -> None:
    found = clusters(10, [*whole(0, 5), *whole(5, 10), (0, 5, MODEL, 15.0)])
    assert found.label.tolist() == [0] * 5 + [5] * 5
    assert found.fate.tolist() == [KEPT] * 20 + [BY_BRIDGE]


def test_a_tenth_of_the_links_makes_one_of_two_groups() -> None:
    between: list[Link] = [(0, 5, MODEL, 15.0), (0, 6, MODEL, 15.0), (1, 6, MODEL, 15.0)]
    assert clusters(10, [*whole(0, 5), *whole(5, 10), *between]).label.tolist() == [0] * 10


def test_a_strong_key_makes_one_of_two_groups_of_many_records() -> None:
    assert clusters(10, [*whole(0, 5), *whole(5, 10), (0, 5, TIER, 15.0)]).label.tolist() == [0] * 10


def test_a_single_record_needs_one_link() -> None:
    assert clusters(20, [*whole(0, 19), (3, 19, MODEL, 15.0)]).label.tolist() == [0] * 20


def test_groups_that_grew_are_asked_again() -> None:
    # 10 and 11 come to 5..9 after the link 0-5 was asked, and bring what was wanting
    late: list[Link] = [(5, 10, MODEL, 2.0), (5, 11, MODEL, 2.0)]
    between: list[Link] = [(0, 5, MODEL, 9.0), (0, 6, MODEL, 9.0), (1, 10, MODEL, 8.0), (2, 11, MODEL, 8.0)]
    assert clusters(12, [*whole(0, 5), *whole(5, 10), *between, *late], weak=-10.0).label.tolist() == [0] * 12
