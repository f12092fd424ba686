"""Checkpoints: the ledger's head, signed, and written where whoever may write to the store should not be able to.

A checkpoint says how many entries there were and the root over their hashes, so that none of these can be edited,
removed or moved afterwards without a sign. It names the one before it by the digest of its file, so that none of them
can be taken out of the row either. What a folder of them proves is said in `heads`; here one is signed, read and made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, ValidationError

from orchestration.canonical import canonical
from orchestration.contracts import Contract
from orchestration.errors import ConfigurationError
from orchestration.gate.keys import public_key, signing_key

CHECKPOINT: Final = "checkpoint"
"""What the files of the key that signs checkpoints are called."""
_HASH: Final = r"^[0-9a-f]{64}$"


class Head(Contract):
    """What a checkpoint says of the ledger."""

    kind: Literal["checkpoint"] = "checkpoint"
    number: int = Field(ge=1)
    """1, 2, 3 … in the order they were signed."""
    first: Literal[1] = 1
    last: int = Field(ge=1)
    """It covers the entries from the first to this one."""
    root: str = Field(pattern=_HASH)
    """The Merkle tree hash over the hashes of these entries, each taken as its text."""
    head: str = Field(pattern=_HASH)
    """The hash of the last of these entries."""
    at: datetime
    """When it was signed."""
    permits: int = Field(ge=0)
    """Up to this entry every permit was signed with the permit key, and for the effect that used it."""
    previous: str | None = Field(pattern=_HASH)
    """The SHA-256 of the file of the checkpoint before; none in the first."""

    @property
    def name(self) -> str:
        """How a sentence calls it."""
        return f"checkpoint {self.number} of {self.at.strftime('%Y-%m-%d %H:%M:%S')} UTC"


class Unsigned(ValueError):  # noqa: N818  reads as the sentence it is
    """A file is no checkpoint that one of the keys signed."""


def sign(head: Head, key: Ed25519PrivateKey) -> str:
    """The content of the file that a checkpoint is."""
    body = canonical(head)
    signed = {
        "body": body.decode(),
        "signature": base64.b64encode(key.sign(body)).decode(),
        "key": fingerprint(key.public_key()),
    }
    return json.dumps(signed, indent=1) + "\n"


def read(content: str) -> Head:
    """What a checkpoint says, whoever signed it.

    Raises:
        Unsigned: It is none.
    """
    try:
        return Head.model_validate_json(_parts(content)[0])
    except ValidationError as problem:
        raise Unsigned("it does not say what a checkpoint says") from problem


def verified(content: str, keys: Mapping[str, Ed25519PublicKey]) -> Head:
    """What a checkpoint says, if one of the keys signed it.

    Args:
        content: Its file's.
        keys: Those that may have, by fingerprint.

    Raises:
        Unsigned: It is none, or none of the keys signed it as it stands.
    """
    body, signature = _parts(content)
    for key in keys.values():
        with suppress(InvalidSignature):
            key.verify(signature, body)
            return read(content)
    raise Unsigned("no key of this coordinator signed it as it stands")


def content_digest(content: str) -> str:
    """What the next checkpoint names this one by."""
    return hashlib.sha256(content.encode()).hexdigest()


def fingerprint(key: Ed25519PublicKey) -> str:
    """The SHA-256 of a public key, by which it is compared with one kept elsewhere."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def checkpoint_key(folder: Path) -> Ed25519PrivateKey:
    """The key that checkpoints are signed with; made where there never was one.

    Raises:
        ConfigurationError: It cannot be used, or its public half is there and it is not.
    """
    private, public = folder / f"{CHECKPOINT}.key", folder / f"{CHECKPOINT}.pub"
    if public.exists() and not private.exists():
        raise ConfigurationError(
            str(private), "no key beside its public half", f"the key; for a new one call {public.name} checkpoint-1.pub"
        )
    return signing_key(folder, CHECKPOINT)


def checkpoint_keys(folder: Path) -> dict[str, Ed25519PublicKey]:
    """The public halves that a checkpoint may have been signed with, the present one first: `checkpoint*.pub`.

    Raises:
        ConfigurationError: One of them is no Ed25519 public key.
    """
    present = folder / f"{CHECKPOINT}.pub"
    files = [present] * present.is_file() + sorted(folder.glob(f"{CHECKPOINT}-*.pub"))
    return {fingerprint(key): key for key in map(public_key, files)}


def _parts(content: str) -> tuple[bytes, bytes]:
    """The body that was signed, and the signature."""
    try:
        signed = json.loads(content)
        return signed["body"].encode(), base64.b64decode(signed["signature"], validate=True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as problem:
        raise Unsigned("it is not what a checkpoint looks like") from problem
