"""Verify a proof (RFC 9162) that Precede exported, with Python 3.9, the package `cryptography`, and nothing of Precede.

    python verify_proof.py inclusion   PROOF.json CHECKPOINT.json checkpoint.pub
    python verify_proof.py consistency PROOF.json OLDER.json NEWER.json checkpoint.pub

Do the entries in PROOF stand in the ledger signed as CHECKPOINT? Does the ledger of NEWER begin with that of OLDER?
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key


def sha256(data: bytes) -> bytes:
    """The hash that everything here rests on."""
    return hashlib.sha256(data).digest()


def need(holds: object, otherwise: str) -> None:
    """Refuse the proof where something does not hold."""
    if not holds:
        raise ValueError(otherwise)


def climb(found: bytes, index: int, last: int, path: list[bytes]) -> tuple[bytes, bytes] | None:
    """The roots above a node: of the tree that ends with it, and of the whole (sections 2.1.3.2 and 2.1.4.2)."""
    older = newer = found
    for node in path:
        if not last:
            return None
        if index & 1 or index == last:
            older, newer = sha256(b"\x01" + node + older), sha256(b"\x01" + node + newer)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            newer = sha256(b"\x01" + newer + node)
        index, last = index >> 1, last >> 1
    return None if last else (older, newer)


def root_of_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to; none where it leads nowhere."""
    roots = climb(sha256(b"\x00" + leaf), index, size - 1, path) if 0 <= index < size else None
    return roots[1] if roots else None


def roots_of_proof(first: int, second: int, path: list[bytes], root: bytes) -> tuple[bytes, bytes] | None:
    """The two roots that a consistency proof leads to, given that of the first tree; none where it leads nowhere."""
    if first == second:
        return None if path else (root, root)
    path = [root, *path] if first > 0 and not first & (first - 1) else path
    if not 0 < first < second or not path:
        return None
    shift = ((first - 1) ^ first).bit_length() - 1
    return climb(path[0], first - 1 >> shift, second - 1 >> shift, path[1:])


def signed(file: str, key: Ed25519PublicKey) -> tuple[dict, bytes]:
    """What a checkpoint says, and its root, if the key signed it."""
    found = json.loads(Path(file).read_text(encoding="utf-8"))
    key.verify(base64.b64decode(found["signature"], validate=True), found["body"].encode())
    said = json.loads(found["body"])
    need((said["kind"], said["first"]) == ("checkpoint", 1), "that is no checkpoint of a ledger")
    return said, bytes.fromhex(said["root"])


def main(what: str, proof_file: str, *files: str) -> str:
    """What is proved."""
    key, proof = load_pem_public_key(Path(files[-1]).read_bytes()), json.loads(Path(proof_file).read_text("utf-8"))
    said, root = signed(files[0], key)
    if what == "consistency":
        newer, newer_root = signed(files[1], key)
        roots = roots_of_proof(said["last"], newer["last"], [bytes.fromhex(node) for node in proof["path"]], root)
        need(roots == (root, newer_root), "the newer ledger does not begin with the older one")
        return f"the ledger of {newer['at']} begins with the {said['last']} entries of {said['at']}, unchanged"
    need(what == "inclusion" and len(proof["entries"]) > 0, "nothing is claimed")
    for claim in proof["entries"]:
        body, leaf = json.loads(claim["body"]), sha256(claim["body"].encode()).hex().encode()
        path = [bytes.fromhex(node) for node in claim["path"]]
        need(root_of_path(leaf, body["seq"] - 1, said["last"], path) == root, f"{body['seq']} is not in that ledger")
        need(body["action"] == proof["action"], f"entry {body['seq']} is about another action")
        shown = sha256(f"{claim.get('salt')}\n{claim.get('payload')}".encode()).hex()
        need("payload" not in claim or shown == body["commitment"], f"entry {body['seq']} committed to something else")
    return f"{len(proof['entries'])} entries of action {proof['action']} stand in the ledger signed at {said['at']}"


if __name__ == "__main__":
    try:
        need(sys.argv[4:], f"too little is named\n\n{__doc__}")
        print("yes:", main(*sys.argv[1:]))
    except Exception as problem:  # whatever is wrong with a proof, it is none
        sys.exit(f"no: {problem or type(problem).__name__}")
