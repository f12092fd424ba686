from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from orchestration.limits import Limits, Money, Rate, Window
from orchestration.registry import AgentCard
from tests.unit.gate.case import rules

OPEN = {"from": "08:00", "until": "18:00", "zone": "Europe/London"}


@pytest.mark.parametrize(
    ("model", "said", "needed"),
    [
        (Window, {**OPEN, "zone": "Europe/Nowhere"}, "an IANA time zone"),
        (Window, {**OPEN, "zone": "../../etc/passwd"}, "an IANA time zone"),
        (Window, {**OPEN, "zone": ""}, "an IANA time zone"),
        (Window, {**OPEN, "until": "08:00"}, "is two windows"),
        (Window, {**OPEN, "from": 1080}, "in quotes"),
        (Window, {**OPEN, "from": "08:00+02:00"}, "without a zone"),
        (Window, {**OPEN, "days": []}, "at least 1 item"),
        (Window, {**OPEN, "days": ["someday"]}, "'mon'"),
        (Window, {"from": "08:00", "until": "18:00"}, "Field required"),
        (Rate, {"per": "planet", "at_most": 1, "within": "1h"}, "'agent'"),
        (Rate, {"per": "agent", "at_most": -1, "within": "1h"}, "greater than or equal to 0"),
        (Rate, {"per": "agent", "at_most": 1, "within": "400d"}, "at most 366d"),
        (Rate, {"per": "agent", "at_most": 1, "within": "an hour"}, "such as 15m"),
        (Money, {"amount": "10.001", "currency": "GBP"}, "decimal places"),
        (Money, {"amount": "-1", "currency": "GBP"}, "greater than or equal to 0"),
        (Money, {"amount": "1", "currency": "pounds"}, "pattern"),
        (Limits, {"per_month": 3}, "not permitted"),
    ],
)
def test_a_bound_that_cannot_be_is_refused(model: type[Any], said: dict[str, object], needed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(said)
    assert needed in str(refused.value)


@pytest.mark.parametrize("residency", [[], ["gb"], ["United Kingdom"], ["GBR"]])
def test_a_residency_names_countries_as_records_hold_them(residency: list[str]) -> None:
    card = rules().agents["finance"].card.model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="residency"):
        AgentCard.model_validate({**card, "residency": residency})
