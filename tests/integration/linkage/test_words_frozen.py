"""Forms of people's names are looked up when records are counted, and known from then on."""

from __future__ import annotations

import pyarrow as pa
import pytest

from insight.arriving import make_table
from insight.linkage import words
from insight.linkage.read import open_memory
from insight.linkage.words import given_forms, load_words


@pytest.mark.parametrize("enough", [1, 100])
def test_a_new_name_is_looked_up_only_where_few_names_are_known(enough: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "ENOUGH_NAMES", enough)
    with open_memory() as con:
        make_table(con, "record", k_given=pa.array(["robert", "ann", None]), k_family=pa.array(["lloyd", "lloyd", "x"]))
        load_words(con, "person")
        counted = dict(con.execute("FROM word").fetchall())
        assert counted == {name: given_forms(name) for name in ("robert", "ann", "lloyd", "x")}
        make_table(con, "record", k_given=pa.array(["robert", "bob"]), k_family=pa.array(["lloyd", None], pa.string()))
        load_words(con, "person", 0)
        later = dict(con.execute("FROM word").fetchall())
    assert later.keys() == {"robert", "lloyd", "bob"}
    assert later["robert"] == counted["robert"]
    assert "robert" in later["bob"]
    assert any(form.startswith("Q") for form in later["bob"]) == (enough == 100)
