from __future__ import annotations

import base64
from datetime import timedelta
from decimal import Decimal
from shutil import copyfile

import duckdb
import pytest

from orchestration.canonical import canonical
from orchestration.contracts import Decision, Permit, Verdict
from orchestration.errors import NotFound, PermitRefused
from orchestration.gate.gate import Gate
from orchestration.gate.perform import Effect
from orchestration.gate.stopping import start, stop
from orchestration.gate.stops import Scope
from orchestration.ledger.trace import trace
from orchestration.ledger.verify import verify
from tests.integration.gate.world import World


def codes(answer: Effect | Decision) -> set[str]:
    assert isinstance(answer, Decision)
    assert answer.verdict is Verdict.DENY
    return {reason.code for reason in answer.reasons}


def test_a_batch_is_decided_performed_and_recorded_once(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        assert [decision.verdict for decision in gate.decide(batch_id, world.now)] == [Verdict.ALLOW] * 3
        assert gate.decide(batch_id, world.now) == []
        effects = gate.perform_batch(batch_id, world.now)
        assert [effect.action for effect in effects] == actions
        assert gate.perform_batch(batch_id, world.now) == []
    assert [row["state"] for row in world.rows("outbox")] == ["pending"] * 3
    assert all(row["consumed_at"] == world.now for row in world.rows("permit"))
    assert all(world.kinds(action) == ["decision", "intent"] for action in actions)
    assert verify(world.store, None).problems == ()


def test_the_evidence_walks_back_to_the_source_rows_after_the_snapshot_is_gone(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    for file in world.settings.snapshots.iterdir():
        file.unlink()
    walked = trace(world.store, actions[0])
    assert {row["record_id"] for row in walked.source_rows} == {
        "crm:company:1",
        "erp:customer:1",
        "crm:contact:1",
        "erp:transaction:1",
        "erp:transaction_line:1",
    }
    assert walked.materialisations[0].asset_key == "entity_graph"
    assert {"crm/company", "erp/transaction_line"} <= {pin.asset_key for pin in walked.materialisations}
    assert walked.permit is not None
    assert walked.problems == ()


def test_the_evidence_says_which_row_completes_which_record_as_both_were_then(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    world.debtors[0].amount_open = Decimal("0.00")
    world.publish()
    rows = {row["record_id"]: row for row in trace(world.store, actions[0]).source_rows}
    line = rows["erp:transaction_line:1"]
    assert (line["supports"], line["row"]["unpaid"]) == (["erp:transaction:1"], "120.00")
    assert rows["erp:transaction:1"]["supports"] == []


def test_what_the_agent_was_shown_beside_its_arguments_is_in_the_evidence_too(world: World) -> None:
    batch_id, actions = world.propose_all()
    row = {"row_id": f"{batch_id}-0001"}
    world.edit("trigger_row", row, values={"invoice": "erp:transaction:1", "other": "erp:transaction:2", "note": "x"})
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    rows = {row["record_id"]: row["supports"] for row in trace(world.store, actions[0]).source_rows}
    assert rows["erp:transaction_line:2"] == ["erp:transaction:2"]
    assert "erp:transaction:2" in rows
    assert "erp:transaction:3" not in rows


def test_a_graph_published_anew_with_the_same_read_set_voids_nothing(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        for debtor in world.debtors:
            debtor.probability = 0.95
        world.publish()
        effects = gate.perform_batch(batch_id, world.now)
    assert [type(effect) for effect in effects] == [Effect] * len(actions)


def test_an_invoice_paid_since_the_decision_voids_its_reminder_and_no_other(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        world.debtors[1].amount_open = Decimal(0)
        world.publish()
        first, second, third = gate.perform_batch(batch_id, world.now)
    assert isinstance(first, Effect)
    assert isinstance(third, Effect)
    assert codes(second) == {"invoice_paid", "read_set_changed"}
    assert world.said(actions[1])[0] == "deny"
    assert not world.rows("decision", action=actions[1])[-1]["transient"]
    assert len(world.rows("outbox")) == 2
    assert verify(world.store, None).problems == ()


def test_a_part_payment_voids_too_and_may_wake_the_agent_again(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        world.debtors[0].amount_open = Decimal("60.00")
        world.publish()
        assert codes(gate.perform(actions[0], world.now)) == {"read_set_changed"}
    assert world.rows("decision", action=actions[0])[-1]["transient"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"opted_out": True}, "opted_out"),
        ({"disputed": True}, "invoice_disputed"),
        ({"standing_reasons": ("unbelievable_cluster",)}, "unbelievable_cluster"),
        ({"resolution": {"crm": "linked", "erp": "linked", "support": "open"}}, "not_searched"),
        ({"entity_id": "org_merged"}, "unknown_entity"),
    ],
)
def test_standing_lost_since_the_decision_voids(world: World, change: dict[str, object], said: str) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        for name, value in change.items():
            setattr(world.debtors[0], name, value)
        world.publish()
        assert {said, "read_set_changed"} <= codes(gate.perform(actions[0], world.now))
    assert world.rows("outbox") == []


def test_an_agent_stopped_or_a_source_gone_quiet_since_the_decision_has_no_effect(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        stop(world.store, Scope.agent("finance"), "too keen", operator="ada", now=world.now)
        assert codes(gate.perform(actions[0], world.now)) == {
            "agent_stopped", "bad_credential", "permit_halted", "read_set_changed",
        }  # fmt: skip
        start(world.store, Scope.agent("finance"), "told off", operator="ada", now=world.now)
        world.edit("watermark", {"system": "erp"}, read_at=world.now - timedelta(days=2))
        # it goes on with what it is given from here on: what came with a credential since revoked stays refused
        assert codes(gate.perform(actions[1], world.now)) == {
            "stale_source", "bad_credential", "permit_halted", "read_set_changed",
        }  # fmt: skip
    assert verify(world.store, None).problems == ()


def test_a_permit_is_used_once(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        assert isinstance(gate.perform(actions[0], world.now), Effect)
        with pytest.raises(PermitRefused, match="was used at"):
            gate.perform(actions[0], world.now)
    assert world.said(actions[0])[0] == "allow"
    assert len(world.rows("outbox")) == 1


def test_what_was_not_allowed_has_no_effect(world: World) -> None:
    world.debtors[0].disputed = True
    world.publish()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        with pytest.raises(PermitRefused, match="not decided yet"):
            gate.perform(actions[0], world.now)
        gate.decide(batch_id, world.now)
        with pytest.raises(PermitRefused, match="deny"):
            gate.perform(actions[0], world.now)
        with pytest.raises(NotFound):
            gate.perform("act_nothing", world.now)


def test_a_permit_that_expired_unused_is_decided_again(world: World) -> None:
    batch_id, actions = world.propose_all()
    later = world.now + timedelta(minutes=15)
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        assert codes(gate.perform(actions[0], later)) == {"permit_expired"}
        again = gate.decide(batch_id, later)
        assert [decision.action for decision in again] == actions[1:]
        assert [type(effect) for effect in gate.perform_batch(batch_id, later)] == [Effect, Effect]
    assert verify(world.store, None).problems == ()


def test_a_permit_edited_in_the_store_is_forged(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        row = world.rows("permit", action=actions[0])[0]
        permit = Permit.model_validate_json(base64.b64decode(row["payload"]))
        arguments = {**permit.tool_arguments, "recipient": "eve@stranger.example"}
        edited = base64.b64encode(canonical(permit.model_copy(update={"tool_arguments": arguments}))).decode()
        world.edit("permit", {"permit_id": row["permit_id"]}, payload=edited)
        assert "permit_forged" in codes(gate.perform(actions[0], world.now))
    assert world.rows("outbox") == []


def test_a_permit_whose_row_says_that_it_lasts_longer_than_was_signed_is_refused(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        world.edit("permit", {"action": actions[0]}, expires_at=world.now + timedelta(days=1))
        assert codes(gate.perform(actions[0], world.now + timedelta(minutes=20))) == {"permit_of_another"}
    assert world.rows("outbox") == []


def test_another_actions_or_agents_permit_is_no_leave(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        first, second = (world.rows("permit", action=action)[0] for action in actions[:2])
        world.edit(
            "permit",
            {"permit_id": first["permit_id"]},
            payload=second["payload"],
            signature=second["signature"],
            read_set_digest=second["read_set_digest"],
        )
        assert "permit_of_another" in codes(gate.perform(actions[0], world.now))
        world.edit("proposal", {"action": actions[2]}, agent="collections")
        assert "permit_of_another" in codes(gate.perform(actions[2], world.now))
    assert world.rows("outbox") == []


def test_one_effect_key_has_one_effect_whoever_asks(world: World) -> None:
    batch_id, actions = world.propose_all()
    other_id, others = world.propose_all("collections")
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.decide(other_id, world.now)
        assert isinstance(gate.perform(actions[0], world.now), Effect)
        assert codes(gate.perform(others[0], world.now)) == {"effect_exists"}
        gate.perform_batch(batch_id, world.now)
        twice = world.propose(world.wake("finance", world.now.date() + timedelta(days=9)), world.debtors[1])
        gate.decide(world.rows("proposal", action=twice)[0]["batch_id"], world.now)
    assert world.said(twice) == ["deny", "effect_exists"]


def test_a_second_agent_and_a_merge_do_not_evade_a_limit(world: World) -> None:
    batch_id, _ = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
        one, two = world.debtors[:2]
        one.entity_id = two.entity_id  # one firm after all, which was reminded twice today
        two.number, two.entity_id = 99, "org_99"
        world.publish()
        other_id = world.wake("collections")
        action = world.propose(other_id, one, stage=2)
        gate.decide(other_id, world.now)
    assert world.said(action) == ["deny", "entity_limit"]
    assert world.rows("decision", action=action)[-1]["reasons"][0]["subject"] == "org_2"


def test_references_that_do_not_hold_are_denied_in_the_real_graph_too(world: World) -> None:
    batch_id = world.wake()
    one, two = world.debtors[:2]
    expected = {
        world.propose(batch_id, one, organisation="org_nobody"): "unknown_entity",
        world.propose(batch_id, one, invoice=two.arguments["invoice"]): "invoice_of_another_entity",
        world.propose(batch_id, one, person=two.arguments["person"]): "not_works_at",
        world.propose(batch_id, one, mailbox=two.arguments["mailbox"]): "unknown_contact_point",
        world.propose(batch_id, one, invoice="erp:transaction:404"): "unknown_invoice",
    }
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    for action, code in expected.items():
        verdict, *said = world.said(action)
        assert verdict == "deny"
        assert code in said
    assert world.rows("permit") == []


@pytest.mark.parametrize("what", ["no graph", "no file", "failed check", "reported from outside", "no pin"])
def test_without_a_sound_snapshot_nothing_is_allowed(world: World, what: str) -> None:
    batch_id, actions = world.propose_all()
    snapshot = {"snapshot_id": "snap_1"}
    pin = world.rows("snapshot")[0]["pin"]
    if what == "no graph":
        world.edit("snapshot", snapshot, path="graph/elsewhere.duckdb")
    elif what == "no file":
        (world.settings.snapshots / "snap_1.duckdb").write_bytes(b"no graph at all")
    elif what == "failed check":
        world.edit("snapshot", snapshot, checks={"accounted": "failed"})
    elif what == "reported from outside":
        world.edit("snapshot", snapshot, pin={**pin, "run_id": ""})
    else:
        world.edit("snapshot", snapshot, pin=None)
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    wanted = {
        "no file": "graph_changed",
        "failed check": "failed_check",
        "reported from outside": "no_pin",
        "no pin": "no_pin",
    }.get(what, "no_graph")
    assert world.said(actions[0]) == ["deny", wanted]
    assert world.rows("decision", action=actions[0])[-1]["transient"]


@pytest.mark.parametrize("when", ["before it is decided", "after it is decided", "while the graph is open"])
def test_a_graph_swapped_on_disk_is_no_ground_for_an_effect_and_is_told(world: World, when: str) -> None:
    batch_id, actions = world.propose_all()
    assert verify(world.store, None, world.settings).problems == ()
    with world.gate() as gate:
        if when == "before it is decided":
            swap_graph(world)
        gate.decide(batch_id, world.now)
        if when == "while the graph is open":
            swap_graph(world)
            assert codes(gate.perform(actions[0], world.now)) == {"graph_changed"}
    if when == "after it is decided":
        swap_graph(world)
        with world.gate() as gate:
            assert codes(gate.perform(actions[0], world.now)) == {"graph_changed"}
    assert world.said(actions[0]) == ["deny", "graph_changed"]
    assert world.rows("decision", action=actions[0])[-1]["transient"]
    assert world.rows("outbox") == []
    [problem] = verify(world.store, None, world.settings).problems
    assert "is not the file that was published as snapshot snap_1" in problem


def swap_graph(world: World) -> None:
    """Put another file in the graph's place, in which every mailbox is somebody else's."""
    path = world.settings.snapshots / "snap_1.duckdb"
    other = path.with_suffix(".other")
    copyfile(path, other)
    with duckdb.connect(str(other)) as connection:
        connection.execute("UPDATE contact_point SET value = 'eve@evil.example', asserted_by = 'verified'")
    other.replace(path)


def test_a_graph_whose_file_was_only_touched_is_still_believed(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        (world.settings.snapshots / "snap_1.duckdb").touch()
        assert isinstance(gate.perform(actions[0], world.now), Effect)


def test_a_permit_that_the_key_did_not_sign_is_told(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform(actions[0], world.now)
    sound = verify(world.store, None, world.settings)
    assert (sound.problems, sound.signatures) == ((), True)
    world.edit("outbox", {"action": actions[0]}, effect_key="another")
    world.edit("permit", {"action": actions[1]}, signature="e30=")
    world.edit("permit", {"action": actions[2]}, expires_at=world.now + timedelta(days=9))
    found = "\n".join(verify(world.store, None, world.settings).problems)
    assert f"The effect of action {actions[0]} is not the one that was permitted" in found
    assert f"of action {actions[1]} does not hold: The permit's signature does not verify" in found
    assert f"of action {actions[2]} was signed for something else than its row says." in found
    (world.settings.keys / "permit.pub").unlink()
    assert not verify(world.store, None, world.settings).signatures


def test_a_materialisation_that_is_gone_from_the_event_log_is_no_ground_for_an_effect(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    with Gate(world.store, world.settings, world.rules, holds=lambda pin: pin.storage_id != 1) as gate:
        assert codes(gate.perform(actions[0], world.now)) == {"no_pin", "read_set_changed"}
    assert world.rows("outbox") == []


def test_the_key_is_its_owners_alone_and_two_gates_share_it(world: World) -> None:
    with world.gate(), world.gate():
        pass
    mode = (world.settings.keys / "permit.key").stat().st_mode & 0o777
    assert mode == 0o600
    batch_id, _ = world.propose_all()
    with world.gate() as one, world.gate() as two:
        one.decide(batch_id, world.now)
        assert [type(effect) for effect in two.perform_batch(batch_id, world.now)] == [Effect] * 3
