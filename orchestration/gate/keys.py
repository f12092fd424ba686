"""The coordinator's signing key and its public half, as files in `settings.keys`.

The private key is readable by its owner alone; a tool server is given the public file's path and no other.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from orchestration.errors import ConfigurationError

PRIVATE: Final = "permit.key"
PUBLIC: Final = "permit.pub"
_OWNER_ONLY: Final = 0o600
_OTHERS: Final = 0o077


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """The key that permits are signed with; made, with its public half beside it, where there is none.

    Any number of processes may ask at once: one key is made.

    Raises:
        ConfigurationError: It is unreadable, no Ed25519 key, or readable by others than its owner.
    """
    folder.mkdir(parents=True, exist_ok=True)
    private = folder / PRIVATE
    if not private.exists():
        _place(private, _private_pem(Ed25519PrivateKey.generate()), _OWNER_ONLY, replace=False)
    if private.stat().st_mode & _OTHERS:
        raise ConfigurationError(str(private), "a key that others may read", "mode 600 (chmod 600)")
    key = _load_private(private)
    public = _public_pem(key.public_key())
    if not (folder / PUBLIC).is_file() or (folder / PUBLIC).read_bytes() != public:
        _place(folder / PUBLIC, public, 0o644, replace=True)
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """The public half that a tool server verifies permits with.

    Raises:
        ConfigurationError: It is unreadable or no Ed25519 public key.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as problem:
        raise ConfigurationError(str(path), problem.strerror or "nothing", "the coordinator's public key") from problem
    except ValueError as problem:
        raise ConfigurationError(str(path), "no public key", "the coordinator's public key, in PEM") from problem
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError(str(path), "another kind of key", "an Ed25519 public key")
    return key


def _load_private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as problem:
        raise ConfigurationError(str(path), "no readable private key", "the coordinator's key, in PEM") from problem
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(str(path), "another kind of key", "an Ed25519 private key")
    return key


def _place(path: Path, content: bytes, mode: int, *, replace: bool) -> None:
    """Put a whole file in place; without `replace`, the first of several writers wins."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        if replace:
            temporary.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
