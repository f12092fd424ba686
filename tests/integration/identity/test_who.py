"""Who runs a command: the token in the environment or a file, and the file of people."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError, NotIdentified
from orchestration.identity import people
from orchestration.identity.person import Role
from orchestration.identity.who import person, presented
from orchestration.settings import Settings
from tests.identified import token_for

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [each for each in os.environ if each.startswith("PRECEDE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PRECEDE_HOME", str(tmp_path))
    return Settings()


def test_the_token_of_the_environment_names_its_person(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_for(settings, "Ada", Role.REVIEWER, now=NOW)
    monkeypatch.setenv("PRECEDE_TOKEN", token + "\n")
    found = person(settings, presented(settings), NOW)
    assert (found.name, found.roles, found.how) == ("Ada", {Role.REVIEWER}, "token")


def test_a_file_that_its_owner_alone_may_read_does_as_well(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(token_for(settings, "Ada", now=NOW) + "\n")
    file.chmod(0o600)
    monkeypatch.setenv("PRECEDE_TOKEN_FILE", str(file))
    assert person(settings, presented(settings), NOW).name == "Ada"
    for mode in (0o640, 0o604, 0o620):
        file.chmod(mode)
        with pytest.raises(NotIdentified, match="others may read"):
            presented(settings)


@pytest.mark.parametrize("what", ["missing", "folder", "bytes"])
def test_a_file_that_holds_no_token_is_one_sentence(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    file = tmp_path / "token"
    if what == "folder":
        file.mkdir(0o700)
    elif what == "bytes":
        file.write_bytes(b"\xff\xfe")
        file.chmod(0o600)
    monkeypatch.setenv("PRECEDE_TOKEN_FILE", str(file))
    with pytest.raises(NotIdentified, match="needed a file with the token alone in it"):
        presented(settings)


def test_without_a_token_or_without_people_it_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(NotIdentified, match=r"needed yours in PRECEDE_TOKEN.*precede people add"):
        presented(settings)
    with pytest.raises(NotIdentified, match=r"there is nobody in .*people\.yml yet; .*precede people add"):
        person(settings, "precede_" + "A" * 43, NOW)
    people.save(settings.people, people.People())
    with pytest.raises(NotIdentified, match="there is nobody"):
        person(settings, "precede_" + "A" * 43, NOW)


def test_an_unknown_token_and_one_that_ended_are_refused_and_never_repeated(settings: Settings) -> None:
    token = token_for(settings, "Ada", now=NOW)
    assert person(settings, token, NOW + timedelta(days=1, microseconds=-1)).name == "Ada"
    for shown, at in ((token, NOW + timedelta(days=1)), (token[:-1] + "!", NOW), ("hunter2-secret", NOW)):
        with pytest.raises(NotIdentified) as refused:
            person(settings, shown, at)
        assert shown not in str(refused.value)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_people_file_that_others_may_write_is_not_believed(settings: Settings, mode: int) -> None:
    token = token_for(settings, "Ada", now=NOW)
    settings.people.chmod(mode)
    with pytest.raises(ConfigurationError, match="a file that others may write"):
        person(settings, token, NOW)


@pytest.mark.parametrize(
    "content",
    [
        "people: [",
        "- Ada",
        "people: {Ada: reviewer}",
        "people: [{name: Ada, roles: [root], token_sha256: precede_hunter2}]",
        "people: [{name: Ada, roles: [], token_sha256: precede_hunter2}]",
        "admins: [Ada]",
        "people:\n  - precede_hunter2: [",
        "\0",
    ],
)
def test_a_people_file_that_says_something_else_lets_nobody_in_and_is_not_repeated(
    settings: Settings, content: str
) -> None:
    settings.people.write_text(content)
    settings.people.chmod(0o600)
    with pytest.raises(ConfigurationError) as refused:
        person(settings, "precede_" + "A" * 43, NOW)
    said = str(refused.value)
    assert "people.yml" in said
    assert "hunter2" not in said + repr(refused.value.__cause__)


def test_a_people_file_that_is_no_file_is_refused(settings: Settings) -> None:
    settings.people.mkdir()
    with pytest.raises(ConfigurationError, match="found no regular file"):
        person(settings, "precede_" + "A" * 43, NOW)


def test_the_file_is_written_for_its_owner_alone(settings: Settings) -> None:
    token_for(settings, "Ada", now=NOW)
    assert settings.people.stat().st_mode & 0o777 == 0o600
    assert settings.people.read_text().startswith("# Who may do what.")
