"""Somebody is found however a text is written, and nobody else is."""

from __future__ import annotations

import json

import pytest

from orchestration.erasure.texts import ERASED, Texts

TEXTS = Texts.of("per_1", {"Zoë Quill", "z@q.example", "crm:contact:12", "+442079461234"})


@pytest.mark.parametrize(
    "text",
    ["Zoë Quill", "dear zoë quill,", "Hello\nZoë Quill", "<Z@Q.example>", "of crm:contact:12#person", "\x07Zoë Quill"],
)
def test_a_text_that_says_who_they_are_is_found_as_it_is_and_as_json_writes_it(text: str) -> None:
    for written in (text, json.dumps({"a": text}), json.dumps([text], ensure_ascii=False)):
        assert TEXTS.said.search(written)
    assert TEXTS.without({"a": [text, 1, None]}) == {"a": [ERASED, 1, None]}


@pytest.mark.parametrize("text", ["Zoë Quillon", "crm:contact:123", "az@q.example", "442079461234", "per_1"])
def test_a_text_about_somebody_else_stays(text: str) -> None:
    assert TEXTS.without([text, {text: text}]) == [text, {text: text}]


def test_the_id_of_the_entity_finds_a_row_and_stays_in_it() -> None:
    assert TEXTS.by.search('{"person": "per_1"}')
    assert not TEXTS.by.search('{"person": "per_12"}')
    assert TEXTS.without("per_1") == "per_1"


def test_of_nobody_nothing_is_found() -> None:
    assert not Texts.of("per_1", ()).said.search("anything, and per_1")
