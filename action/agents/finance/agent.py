"""From an overdue invoice to the proposal of one payment reminder.

What the customer reads is written by the action type's own template; the agent chooses whom to write to at which
stage, and says why.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestration.contracts import Proposal, TriggerRow
from orchestration.work.handoff import Declined
from orchestration.work.patterns import Step, chain

Stage = Literal[1, 2, 3]
Tone = Literal["friendly", "firm", "last"]

_TONES: Final[dict[Stage, Tone]] = {1: "friendly", 2: "firm", 3: "last"}
_OPENINGS: Final[dict[Tone, str]] = {
    "friendly": "A friendly reminder",
    "firm": "A second reminder",
    "last": "A last reminder before the matter is handed over",
}


class Model(BaseModel):
    """What passes between two steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Overdue(Model):
    """An overdue invoice with whom to write to about it."""

    row_id: str
    entity_id: str
    organisation: str
    invoice: str
    number: str
    amount_open: Decimal = Field(gt=0)
    currency: str = Field(pattern="^[A-Z]{3}$")
    due_on: date
    stage: Stage
    person: str
    mailbox: str


class Toned(Model):
    """The invoice, and how to speak of it."""

    overdue: Overdue
    tone: Tone


class Draft(Model):
    """The invoice, and what to say of it."""

    overdue: Overdue
    rationale: str = Field(max_length=2000)


def read(row: TriggerRow) -> Overdue | Declined:
    """What the trigger returned, typed; declines where there is nobody to write to, or a reviewer said no."""
    if row.revision:
        return Declined("a reviewer rejected the reminder, and there is no other to propose")
    if row.values["person"] is None or row.values["mailbox"] is None:
        return Declined("nobody with a known mailbox works there")
    return Overdue.model_validate({**row.values, "row_id": row.row_id, "entity_id": row.entity_id})


def choose_tone(overdue: Overdue) -> Toned:
    """How to speak at this dunning stage."""
    return Toned(overdue=overdue, tone=_TONES[overdue.stage])


def draft(toned: Toned) -> Draft:
    """Why a reminder should go out, in a sentence for whoever reviews it."""
    overdue = toned.overdue
    sentence = (
        f"{_OPENINGS[toned.tone]} to {overdue.organisation}: invoice {overdue.number} was due on "
        f"{overdue.due_on.isoformat()}, and {overdue.amount_open:,.2f} {overdue.currency} is still open."
    )
    return Draft(overdue=overdue, rationale=sentence)


def propose(ready: Draft) -> Proposal:
    """The proposal, which refers to the graph and states no amount or text of its own."""
    overdue = ready.overdue
    return Proposal(
        row_id=overdue.row_id,
        action_type="send_payment_reminder",
        arguments={
            "organisation": overdue.entity_id,
            "invoice": overdue.invoice,
            "person": overdue.person,
            "mailbox": overdue.mailbox,
            "stage": overdue.stage,
        },
        rationale=ready.rationale,
    )


workflow = chain(
    Step("read", read, Overdue),
    Step("choose_tone", choose_tone, Toned),
    Step("draft", draft, Draft),
    Step("propose", propose, Proposal),
)
