from __future__ import annotations

import importlib.util
from hashlib import sha256
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.ledger.merkle import EMPTY, Frontier, Tree, leaf_hash, node_hash, root, root_of
from orchestration.settings import PROJECT

# The eight leaves, their roots and the proofs over them by which implementations of Certificate Transparency test
# themselves (transparency-dev/merkle, proof/verify_test.go); none of these was computed here.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUSION = [  # index from 0, size, proof
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCY = [  # first size, second size, proof
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The verifier that shares no code with the product."""
    spec = importlib.util.spec_from_file_location("verify_proof", PROJECT / "docs" / "verify_proof.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unhexed(proof: list[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in proof]


@pytest.mark.parametrize("count", range(len(ROOTS)))
def test_the_root_is_that_of_certificate_transparency(count: int) -> None:
    assert root(LEAVES[:count]).hex() == ROOTS[count]
    growing = Frontier()
    for leaf in LEAVES[:count]:
        growing.add(leaf)
    assert growing.root().hex() == ROOTS[count]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_inclusion_is_proved_as_in_certificate_transparency(
    script: ModuleType, index: int, size: int, proof: list[str]
) -> None:
    assert [one.hex() for one in Tree(LEAVES[:size]).inclusion(index)] == proof
    assert script.root_of_path(LEAVES[index], index, size, unhexed(proof)).hex() == ROOTS[size]


@pytest.mark.parametrize(("first", "second", "proof"), CONSISTENCY)
def test_consistency_is_proved_as_in_certificate_transparency(
    script: ModuleType, first: int, second: int, proof: list[str]
) -> None:
    assert [one.hex() for one in Tree(LEAVES[:second]).consistency(first)] == proof
    heads = (bytes.fromhex(ROOTS[first]), bytes.fromhex(ROOTS[second]))
    assert script.roots_of_proof(first, second, unhexed(proof), heads[0]) == heads


def test_the_example_of_the_rfc_gives_the_proofs_that_it_names() -> None:
    """The tree of seven leaves that RFC 9162, section 2.1.5, draws, with its names for the nodes."""
    data = [f"d{number}".encode() for number in range(7)]
    a, b, c, d, e, f, j = (leaf_hash(one) for one in data)
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l = node_hash(g, h), node_hash(i, j)  # noqa: E741  the RFC's names
    tree = Tree(data)
    assert tree.root() == node_hash(k, l)
    assert [tree.inclusion(number) for number in (0, 3, 4, 6)] == [[b, h, l], [c, g, l], [f, j, k], [i, k]]
    assert [tree.consistency(size) for size in (3, 4, 6)] == [[c, d, g, l], [l], [i, j, k]]


def recursive_root(leaves: list[bytes]) -> bytes:
    """Section 2.1.1 as it is written down."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + recursive_root(leaves[:split]) + recursive_root(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=4), max_size=80), st.data())
def test_growing_all_at_once_and_by_the_definition_give_one_root(leaves: list[bytes], data: st.DataObject) -> None:
    half = data.draw(st.integers(0, len(leaves)))
    growing = Frontier()
    for leaf in leaves[:half]:
        growing.add(leaf)
    growing = Frontier(growing.size, growing.subtrees)
    for leaf in leaves[half:]:
        growing.add(leaf)
    assert growing.root() == Tree(leaves).root() == recursive_root(leaves)


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40), st.data())
def test_a_leaf_changed_or_removed_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:at], leaves[at] + b"!", *leaves[at + 1 :]]
    assert root(changed) != root(leaves)
    assert root([*leaves[:at], *leaves[at + 1 :]]) != root(leaves)


@given(size=st.integers(1, 70), data=st.data())
def test_a_proof_of_inclusion_holds_for_its_value_at_its_place_and_for_nothing_else(
    script: ModuleType, size: int, data: st.DataObject
) -> None:
    values = [b"%d" % number for number in range(size)]
    at = data.draw(st.integers(0, size - 1))
    tree = Tree(values)
    path = tree.inclusion(at)
    proved = script.root_of_path
    assert proved(values[at], at, size, path) == tree.root()
    assert proved(b"another", at, size, path) != tree.root()
    other = data.draw(st.integers(0, size + 3).filter(lambda index: index != at))
    assert proved(values[at], other, size, path) != tree.root()
    assert proved(values[at], at, size, [*path, EMPTY]) != tree.root()
    assert proved(values[at], at, size, [EMPTY, *path]) != tree.root()
    if path:
        cut = data.draw(st.integers(0, len(path) - 1))
        assert proved(values[at], at, size, path[:cut] + path[cut + 1 :]) != tree.root()
        flipped = bytes([path[cut][0] ^ 8]) + path[cut][1:]
        assert proved(values[at], at, size, [*path[:cut], flipped, *path[cut + 1 :]]) != tree.root()


@given(first=st.integers(1, 70), more=st.integers(0, 40), data=st.data())
def test_a_proof_of_consistency_holds_for_its_two_trees_and_for_no_others(
    script: ModuleType, first: int, more: int, data: st.DataObject
) -> None:
    values = [b"%d" % number for number in range(first + more)]
    before, after = Tree(values[:first]).root(), Tree(values).root()
    path = Tree(values).consistency(first)
    proved = script.roots_of_proof
    assert proved(first, first + more, path, before) == (before, after)
    rewritten = Tree([b"x", *values[1:]])
    assert proved(first, first + more, rewritten.consistency(first), before) != (before, rewritten.root())
    assert proved(first, first + more, [*path, EMPTY], before) != (before, after)
    assert proved(first, first + more, [EMPTY, *path], before) != (before, after)
    if path:
        cut = data.draw(st.integers(0, len(path) - 1))
        assert proved(first, first + more, path[:cut] + path[cut + 1 :], before) != (before, after)
        flipped = bytes([path[cut][0] ^ 16]) + path[cut][1:]
        assert proved(first, first + more, [*path[:cut], flipped, *path[cut + 1 :]], before) != (before, after)


def test_what_cannot_be_proved_is_refused() -> None:
    tree = Tree(LEAVES)
    for index in (-1, 8):
        with pytest.raises(IndexError):
            tree.inclusion(index)
    for first in (0, 9):
        with pytest.raises(IndexError):
            tree.consistency(first)
    with pytest.raises(ValueError, match="has 2 complete subtrees"):
        Frontier(3, [EMPTY])


def test_entries_are_taken_as_the_text_of_their_hashes() -> None:
    assert root_of(["ab" * 32]) == sha256(b"\x00" + b"ab" * 32).hexdigest()
