"""Who is in the people file, and whose a token is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.errors import ConfigurationError, NotEntitled, NotFound
from orchestration.identity.people import TOKEN, People, Token, added, hashed, new_token, rotated, without
from orchestration.identity.person import Person, Role, require

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def with_ada(*roles: Role) -> tuple[People, Token]:
    return added(People(), "Ada", roles or (Role.OPERATOR,), mailbox="ada@example.com", days=90, now=NOW)


def and_ben(people: People, *roles: Role) -> tuple[People, Token]:
    return added(people, "Ben", roles or (Role.REVIEWER,), mailbox=None, days=1, now=NOW)


def test_a_token_names_its_own_person_and_no_other() -> None:
    people, adas = with_ada(Role.REVIEWER, Role.OPERATOR)
    people, bens = and_ben(people)
    ada, ben = people.of(adas.text), people.of(bens.text)
    assert ada is not None
    assert ben is not None
    assert ada.person == Person("Ada", frozenset({Role.REVIEWER, Role.OPERATOR}), "token", "ada@example.com")
    assert (ben.name, ben.expires) == ("Ben", NOW + timedelta(days=1))


def test_the_file_holds_a_hash_and_never_a_token() -> None:
    people, token = with_ada()
    assert TOKEN.fullmatch(token.text)
    assert token.text not in people.model_dump_json() + repr(people) + repr(token)
    assert people.people[0].token_sha256 == hashed(token.text)
    assert people.people[0].token_sha256 not in repr(people)
    assert new_token().text != new_token().text


@given(st.text() | st.from_regex(TOKEN, fullmatch=True))
def test_no_other_text_names_anybody(shown: str) -> None:
    people, _ = with_ada()
    assert people.of(shown) is None


def test_a_secret_that_somebody_thought_up_is_not_taken_though_its_hash_stands_there() -> None:
    people, _ = with_ada()
    weak = people.people[0].model_copy(update={"token_sha256": hashed("hunter2")})
    assert People(people=(weak,)).of("hunter2") is None


def test_a_token_that_was_rotated_is_of_no_use() -> None:
    people, old = with_ada()
    people, new = rotated(people, "Ada", days=1, now=NOW)
    assert people.of(old.text) is None
    ada = people.of(new.text)
    assert ada is not None
    assert (ada.name, ada.roles, ada.added) == ("Ada", (Role.OPERATOR,), NOW)


def test_who_is_removed_is_nobody_any_more() -> None:
    people, _ = with_ada()
    people, token = and_ben(people)
    assert without(people, "Ben", now=NOW).of(token.text) is None


def test_the_last_operator_stays_while_somebody_is_left_that_only_they_could_change() -> None:
    people, _ = with_ada()
    people, _ = and_ben(people)
    with pytest.raises(ConfigurationError, match="found Ada as the last operator; needed another operator first"):
        without(people, "Ada", now=NOW)
    people, _ = added(people, "Cat", [Role.OPERATOR], mailbox=None, days=1, now=NOW)
    with pytest.raises(ConfigurationError, match="last operator"):  # Cat's token will have ended
        without(people, "Ada", now=NOW + timedelta(days=1))
    assert [one.name for one in without(people, "Ada", now=NOW).people] == ["Ben", "Cat"]
    only, _ = with_ada()
    assert without(only, "Ada", now=NOW).people == ()


@pytest.mark.parametrize(
    "name", ["", " ", " Ada", "a" * 101, "ada@example.com", "A\0da", "A\u202eda", "A\nda", "\uff21da"]
)
def test_a_name_that_could_be_taken_for_another_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="needed a name of 1 to 100 usual characters"):
        added(People(), name, [Role.OPERATOR], mailbox=None, days=1, now=NOW)


@pytest.mark.parametrize("name", ["Ada", "ada", "ADA"])
def test_two_people_have_two_names(name: str) -> None:
    people, _ = with_ada()
    with pytest.raises(ConfigurationError, match="found somebody of that name"):
        added(people, name, [Role.REVIEWER], mailbox=None, days=1, now=NOW)


@pytest.mark.parametrize(("roles", "mailbox"), [([], None), ([Role.REVIEWER], "nowhere"), ([Role.REVIEWER], "a b@c")])
def test_a_person_without_a_role_or_with_no_mailbox_is_refused(roles: list[Role], mailbox: str | None) -> None:
    with pytest.raises(ConfigurationError):
        added(People(), "Ada", roles, mailbox=mailbox, days=1, now=NOW)


@pytest.mark.parametrize("days", [0, -1, 367, 10_000])
def test_no_token_lasts_for_ever(days: int) -> None:
    with pytest.raises(ConfigurationError, match="a number from 1 to 366"):
        added(People(), "Ada", [Role.REVIEWER], mailbox=None, days=days, now=NOW)


def test_nobody_of_that_name_can_be_rotated_or_removed() -> None:
    people, _ = with_ada()
    with pytest.raises(NotFound, match="needed one of: Ada"):
        rotated(people, "Eve", days=1, now=NOW)
    with pytest.raises(NotFound, match="needed one of: nobody"):
        without(People(), "Eve", now=NOW)


@given(held=st.frozensets(st.sampled_from(Role)), asked=st.lists(st.sampled_from(Role), min_size=1))
def test_one_of_the_roles_asked_for_suffices_and_nothing_else_does(held: frozenset[Role], asked: list[Role]) -> None:
    person = Person("Ada", held, "token")
    if held & set(asked):
        assert require(person, *asked) is person
    else:
        with pytest.raises(NotEntitled, match=r"Ada is identified with .*; needed .*; ask an operator"):
            require(person, *asked)
