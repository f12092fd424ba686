from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from orchestration.action_types import ActionType, fill, places
from orchestration.declarations import parse_duration
from orchestration.settings import PROJECT

GIVEN = yaml.safe_load((PROJECT / "orchestration" / "actions" / "send_payment_reminder.yml").read_text("utf-8"))


def changed(path: str, value: Any) -> dict[str, Any]:
    """The reminder's declaration with one value otherwise; `...` takes it away."""
    declared = deepcopy(GIVEN)
    *before, last = path.split(".")
    inside = declared
    for name in before:
        inside = inside[name]
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return declared


def test_the_reminder_is_what_it_says() -> None:
    reminder = ActionType.model_validate(GIVEN)
    assert reminder.arguments == ("organisation", "invoice", "person", "mailbox", "stage")
    assert reminder.systems == {"crm", "erp", "support"}
    assert reminder.subject == "organisation"
    assert reminder.max_age["erp"] == timedelta(hours=26)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("parameters.person.searched", [], "at least two systems"),
        ("parameters.person.searched", ["crm"], "not both"),
        ("parameters.organisation.linked", [], "at least 1 item"),
        ("parameters.organisation.type", "company", "organisation, person"),
        ("parameters.organisation.reads", ["shoe_size"], "found shoe_size"),
        ("parameters.invoice.type", "poem", "sales_order"),
        ("parameters.invoice.of", "stage", "found stage"),
        ("parameters.invoice.reads", ["number"], "missing direction"),
        ("parameters.invoice.requires", [{"field": "number", "is": "above", "value": 1, "reason": "x"}], "above"),
        ("parameters.invoice.requires", [{"field": "number", "is": "equal_to"}], "`value` and `reason`"),
        ("parameters.mailbox.asserted_by", ["public"], "verified"),
        ("parameters.mailbox.of", "nobody", "found nobody"),
        ("parameters.employment.to", "nobody", "found nobody"),
        ("parameters.stage.maximum", ..., "`maximum`"),
        ("parameters.stage.maximum", 0, "`maximum`"),
        ("parameters.stage", {"kind": "literal", "type": "choice"}, "`choices`"),
        ("parameters.objections", {"kind": "literal", "type": "boolean"}, "objections"),
        ("parameters", {"stage": {"kind": "literal", "type": "boolean"}}, "kind `entity`"),
        ("parameters.stage.kind", "wish", "literal"),
        ("max_age", {"crm": "26h"}, "missing erp, support"),
        ("max_age.crm", "a while", "26h"),
        ("tool.arguments.subject", "{nobody}", "found nobody"),
        ("tool.arguments.subject", "{employment}", "found employment"),
        ("tool.arguments.subject", "{organisation.phone}", "found phone"),
        ("tool.arguments.effect_key", "{stage}", "the coordinator adds it"),
        ("effect_key", "always the same", "at least one parameter"),
        ("class", "harmless", "external"),
        ("compensation", "", "at least 1 character"),
        ("compensation.tool.arguments.reminder", "{mailbox}", "found mailbox"),
        ("compensation.tool.arguments.reminder", "{invoice.number}", "found invoice"),
        ("compensation.tool.arguments.effect_key", "{reference}", "the coordinator adds it"),
        ("compensation.tool.arguments.reference", "{reference}", "the effect's own"),
        ("tool.arguments.action", "{stage}", "the effect's own"),
        ("read_back.where.custrecord_invoice", "{organisation}", "found organisation"),
        ("read_back.where.custrecord_effect_key", "{invoice}", "holds {effect_key}"),
        ("read_back.relation", "reminder", "or a source table such as"),
        ("read_back.account", {}, "holds {effect_key}"),
        ("surprise", True, "not permitted"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(path: str, value: Any, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ActionType.model_validate(changed(path, value))
    assert sentence in str(refused.value)


def test_a_template_that_is_one_place_keeps_its_type() -> None:
    values: dict[tuple[str, str | None], str | int | bool] = {("stage", None): 2, ("invoice", "number"): "INV-1"}
    assert fill("{stage}", values) == 2
    assert fill("{invoice.number} at {stage}", values) == "INV-1 at 2"
    assert places("{invoice.number} at {stage}") == [("invoice", "number"), ("stage", None)]
    with pytest.raises(KeyError):
        fill("{invoice}", values)


@pytest.mark.parametrize(("text", "length"), [("90s", 90), ("15m", 900), ("26h", 93_600), ("7d", 604_800)])
def test_a_length_of_time_has_a_unit(text: str, length: int) -> None:
    assert parse_duration(text) == timedelta(seconds=length)


@pytest.mark.parametrize("text", ["", "26", "0h", "-1h", "1.5h", "1w", 26, None])
def test_what_is_no_length_of_time_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="such as 15m"):
        parse_duration(text)
