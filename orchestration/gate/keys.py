"""The coordinator's signing keys and their public halves, as files in `settings.keys`: one key for one use.

A private key is readable by its owner alone; a tool server is given one public file's path and no other.
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

PERMIT: Final = "permit"
"""The key that permits are signed with."""
CREDENTIAL: Final = "credential"
"""The key that agents' credentials are signed with."""
PRIVATE: Final = f"{PERMIT}.key"
PUBLIC: Final = f"{PERMIT}.pub"
OWNER_ONLY: Final = 0o600
"""The mode of a file that its owner alone may read."""
_OTHERS: Final = 0o077


def signing_key(folder: Path, name: str = PERMIT) -> Ed25519PrivateKey:
    """A key to sign with, that of permits by default; made, with its public half beside it, where there is none.

    Any number of processes may ask at once: one key is made.

    Args:
        folder: Where keys are.
        name: What its files are called: `NAME.key`, and `NAME.pub` for the public half.

    Raises:
        ConfigurationError: It is unreadable, no Ed25519 key, or readable by others than its owner.
    """
    folder.mkdir(parents=True, exist_ok=True)
    private, public_file = folder / f"{name}.key", folder / f"{name}.pub"
    if not private.exists():
        place(private, _private_pem(Ed25519PrivateKey.generate()), OWNER_ONLY, replace=False)
    if private.stat().st_mode & _OTHERS:
        raise ConfigurationError(str(private), "a key that others may read", "mode 600 (chmod 600)")
    key = _load_private(private)
    public = _public_pem(key.public_key())
    if not public_file.is_file() or public_file.read_bytes() != public:
        place(public_file, public, 0o644, replace=True)
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """A public half, such as a tool server verifies permits with.

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


def place(path: Path, content: bytes, mode: int, *, replace: bool) -> None:
    """Put a whole file in place; without `replace`, the first of several writers wins."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)  # whatever the umask: a tool server of another user reads the public half
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
