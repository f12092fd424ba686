"""Signing the ledger's head from the command line, and proofs that a program without our code verifies."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from orchestration.identity.person import Role
from orchestration.ledger.chain import append
from orchestration.settings import PROJECT, Settings
from orchestration.store.engine import open_store
from tests.identified import signed_in
from tests.integration.cli.conftest import Precede
from tests.integration.ledger.story import DENIED, DONE, NOW


def verifies(*arguments: object, flags: tuple[str, ...] = ("-I",)) -> tuple[bool, str]:
    """What the stand-alone script says, started where none of our packages can be imported."""
    script = PROJECT / "docs" / "verify_proof.py"
    command = [sys.executable, *flags, str(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    said = done.stdout or done.stderr
    assert said.startswith("yes: " if done.returncode == 0 else "no: "), said
    return done.returncode == 0, said


@pytest.fixture(autouse=True)
def auditor(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told == Settings().home
    signed_in(monkeypatch, "ada", Role.AUDITOR)


@pytest.fixture
def signed(told: Path, precede: Precede) -> Path:
    assert precede("ledger", "checkpoint").code == 0
    return told


def grow(home: Path) -> None:
    with closing(open_store(Settings(home=home))) as store, store.begin() as connection:
        append(connection, "agent_stopped", {"agent": "finance"}, at=NOW)


def test_the_script_is_short_and_knows_nothing_of_ours() -> None:
    text = (PROJECT / "docs" / "verify_proof.py").read_text()
    assert len(text.splitlines()) < 100
    assert not {name for name in ("orchestration", "insight", "action.", "sqlalchemy", "rfc8785") if name in text}


def test_the_script_says_how_it_is_used_where_files_are_missing() -> None:
    script = str(PROJECT / "docs" / "verify_proof.py")
    done = subprocess.run([sys.executable, "-I", script, "inclusion"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "verify_proof.py inclusion   PROOF.json" in done.stderr


def test_the_head_is_signed_once_and_verified(told: Path, precede: Precede) -> None:
    assert "No checkpoint says that this is the ledger that it was" in precede("ledger", "verify").out
    made = precede("ledger", "checkpoint", "--json").json["checkpoint"]
    assert made["path"] == str(told / "checkpoints" / "checkpoint-00000001.json")
    assert precede("ledger", "checkpoint").out == "No entry came since the last checkpoint; nothing is written.\n"
    assert f"up to entry {made['last']} this is the ledger that was signed" in " ".join(
        precede("ledger", "verify").out.split()
    )
    assert precede("ledger", "verify", "--json").json["covered"] == made["last"]


def test_files_that_are_missing_are_put_back(signed: Path, precede: Precede) -> None:
    path = signed / "checkpoints" / "checkpoint-00000001.json"
    content = path.read_text()
    path.unlink()
    refused = precede("ledger", "checkpoint")
    assert (refused.code, refused.out) == (1, "")
    assert "does not hold checkpoint 1, which the store recorded" in refused.err
    assert precede("ledger", "checkpoint", "--restore", "--json").json == {"checkpoint": None, "restored": [str(path)]}
    assert path.read_text() == content


@pytest.mark.parametrize("action", [DONE, DENIED])
@pytest.mark.parametrize("disclose", [[], ["--disclose"]])
def test_an_actions_entries_are_proved_to_somebody_without_our_code(
    signed: Path, precede: Precede, tmp_path: Path, action: str, disclose: list[str]
) -> None:
    grow(signed)  # the checkpoint is not of the whole ledger any more
    result = precede("ledger", "prove", action, "--out", str(tmp_path / "proof.json"), *disclose)
    assert result.code == 0, result.err
    assert f"inclusion {tmp_path / 'proof.json'} {signed / 'checkpoints' / 'checkpoint-00000001.json'}" in result.out
    proof = json.loads((tmp_path / "proof.json").read_text())
    assert [set(one) for one in proof["entries"]] == [
        {"body", "path"} | ({"salt", "payload"} if disclose else set())
    ] * (3 if action == DONE else 1)
    files = (signed / "checkpoints" / "checkpoint-00000001.json", signed / "keys" / "checkpoint.pub")
    holds, said = verifies("inclusion", tmp_path / "proof.json", *files)
    assert holds
    assert f"of action {action} stand in the ledger signed at " in said


def test_a_proof_of_anything_else_is_refused(signed: Path, precede: Precede, tmp_path: Path) -> None:
    assert precede("ledger", "prove", DONE, "--disclose", "--out", str(tmp_path / "proof.json")).code == 0
    checkpoint, key = signed / "checkpoints" / "checkpoint-00000001.json", signed / "keys" / "checkpoint.pub"
    proof = json.loads((tmp_path / "proof.json").read_text())
    first = proof["entries"][0]
    other = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "other.pub").write_bytes(other)
    forged = tmp_path / "forged.json"
    wrong: list[dict[str, object]] = [
        {**proof, "action": DENIED},
        {**proof, "entries": []},
        {**proof, "entries": [{**first, "body": first["body"].replace('"allow"', '"deny"')}]},
        {**proof, "entries": [{**first, "path": first["path"][1:]}]},
        {**proof, "entries": [{**first, "path": [*first["path"], "00" * 32]}]},
        {**proof, "entries": [{**first, "path": ["00" * 32, *first["path"][1:]]}]},
        {**proof, "entries": [{**first, "payload": first["payload"].replace("allow", "deny")}]},
        {**proof, "entries": [{**first, "salt": "00"}]},
        {},
    ]
    for flags in (("-I",), ("-I", "-O")):  # without assertions it is no more willing
        for one in wrong if flags == ("-I",) else wrong[:3]:
            forged.write_text(json.dumps(one))
            assert verifies("inclusion", forged, checkpoint, key, flags=flags)[0] is False
    assert verifies("inclusion", tmp_path / "proof.json", checkpoint, tmp_path / "other.pub")[0] is False
    edited = tmp_path / "checkpoint.json"
    edited.write_text(re.sub(r'last\\":\d+', r"last\":99", checkpoint.read_text()))
    assert edited.read_text() != checkpoint.read_text()
    assert verifies("inclusion", tmp_path / "proof.json", edited, key)[0] is False
    assert verifies("inclusion")[0] is False
    assert verifies("nothing", tmp_path / "proof.json", checkpoint, key)[0] is False


def test_that_the_ledger_only_grew_is_proved(signed: Path, precede: Precede, tmp_path: Path) -> None:
    for _ in range(2):
        grow(signed)
        assert precede("ledger", "checkpoint").code == 0
    out = tmp_path / "proof.json"
    first, second, third = sorted((signed / "checkpoints").glob("*.json"))
    key = signed / "keys" / "checkpoint.pub"
    result = precede("ledger", "consistency", "1", "3", "--out", str(out))
    assert f"consistency {out} {first} {third} {key}" in result.out
    assert verifies("consistency", out, first, third, key)[0] is True
    assert verifies("consistency", out, first, second, key)[0] is False
    assert verifies("consistency", out, third, first, key)[0] is False
    turned = precede("ledger", "consistency", "3", "1", "--out", str(out))
    assert (turned.code, "needed the older one first" in turned.err) == (1, True)
    unknown = precede("ledger", "consistency", "1", "9", "--out", str(out))
    assert (unknown.code, "There is no checkpoint 9" in unknown.err) == (1, True)


def test_what_cannot_be_proved_says_what_to_do(told: Path, precede: Precede, tmp_path: Path) -> None:
    out = str(tmp_path / "proof.json")
    none = precede("ledger", "prove", DONE, "--out", out)
    assert (none.code, "run `precede ledger checkpoint`" in none.err) == (1, True)
    precede("ledger", "checkpoint")
    unknown = precede("ledger", "prove", "act_unknown", "--out", out)
    assert (unknown.code, "No action has the id 'act_unknown'" in unknown.err) == (1, True)
    nowhere = precede("ledger", "prove", DONE, "--out", str(told / "no" / "folder"))
    assert (nowhere.code, "cannot be written" in nowhere.err) == (1, True)
