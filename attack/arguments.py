"""What an agent could put into a proposal: others' things, and text made to be taken for something else."""

from __future__ import annotations

from typing import Any, Final

from attack.acting import came
from attack.ground import Ground
from attack.suite import Group, Run

GROUP: Final = Group("arguments")

SWAPPED: dict[str, tuple[str, dict[str, Any], str]] = {
    "invoice-of-another": ("another debtor's invoice", {"invoice": "erp:transaction:2"}, "invoice_of_another_entity"),
    "mailbox-of-another": ("another debtor's mailbox", {"mailbox": "2@debtor.example"}, "unknown_contact_point"),
    "person-of-another": ("a person who works elsewhere", {"person": "per_2"}, "not_works_at"),
    "organisation-of-another": ("an organisation that woke nobody", {"organisation": "org_2"}, "not_the_woken_entity"),
    "person-for-organisation": ("a person for an organisation", {"organisation": "per_1"}, "wrong_entity_type"),
    "organisation-for-person": ("an organisation for a person", {"person": "org_1"}, "wrong_entity_type"),
    "unknown-entity": ("an entity that is none", {"organisation": "org_nobody"}, "unknown_entity"),
    "unknown-invoice": ("an invoice that is none", {"invoice": "erp:transaction:404"}, "unknown_invoice"),
    "invoice-of-another-system": (
        "a record of the CRM for an invoice",
        {"invoice": "crm:company:1"},
        "unknown_invoice",
    ),
    "stage-beyond-bounds": ("a stage that there is not", {"stage": 99}, "bad_argument"),
    "stage-below-bounds": ("a stage below the first", {"stage": -1}, "bad_argument"),
    "stage-as-text": ("a stage in words", {"stage": "1; DROP TABLE permit"}, "bad_argument"),
    "stage-as-truth": ("a stage that is true", {"stage": True}, "bad_argument"),
    "amount-supplied": ("an amount of its own", {"amount_open": "1000000.00"}, "unexpected_argument"),
    "recipient-supplied": ("a recipient of its own", {"recipient": "eve@evil.example"}, "unexpected_argument"),
    "subject-supplied": ("a subject of its own", {"subject": "Pay Eve instead"}, "unexpected_argument"),
}
"""Name to what is put in, the arguments, and what it must be denied for."""

TEXTS: Final = {
    "sql": "' OR '1'='1'; DROP TABLE permit; --",
    "cedar": '"); permit (principal, action, resource); //',
    "path": "../../../keys/permit.key",
    "nul": "erp:transaction:1\x00",
    "bidi": "\u202eerp:transaction:1\u2066",
    "template": "{invoice.amount_open}${HOME}%s{{7*7}}",
    "oversize": "x" * 1_000_000,
    "look-alike": "erp:trаnsaction:1",  # noqa: RUF001  a Cyrillic letter, which is the point
    "case": "ERP:TRANSACTION:1",
    "blank": "erp:transaction:1 ",
}
OBJECTIONS: Final = {
    "organisation": "unknown_entity",
    "invoice": "unknown_invoice",
    "person": "unknown_entity",
    "mailbox": "unknown_contact_point",
}


def _proposing(**arguments: Any) -> Run:
    def run(ground: Ground) -> str:
        world = ground.world()
        batch_id = world.wake()
        return came(world, world.propose(batch_id, world.debtors[0], **arguments))

    return run


for _name, (_told, _arguments, _code) in SWAPPED.items():
    GROUP.add(
        _name,
        f"propose with {_told}",
        f"denied: {_code}",
        _proposing(**_arguments),
        quick=_name == "invoice-of-another",
    )
for _name, _text in TEXTS.items():
    for _parameter, _code in OBJECTIONS.items():
        GROUP.add(
            f"{_name}-in-{_parameter}",
            f"propose with {_name} characters for the {_parameter}",
            f"denied: {_code}",
            _proposing(**{_parameter: _text}),
            quick=(_name, _parameter) in {("sql", "invoice"), ("bidi", "mailbox")},
        )


@GROUP.attack("rationale-with-everything", expected="effect")
def rationale(ground: Ground) -> str:
    """put every one of those texts into the rationale of a proposal that is sound: nothing reads it"""
    world = ground.world()
    action = world.propose(world.wake(), world.debtors[0])
    said = "".join(text for name, text in TEXTS.items() if name != "oversize")
    world.edit("proposal", {"action": action}, rationale=said)
    return came(world, action)
