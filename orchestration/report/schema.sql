-- The audit tables. Ids join them with each other and with the graph that is published beside them; they hold codes,
-- ids, counts and times, and of people only those who answer for something: no argument, note, rationale or mailbox.

-- one row: when these tables were made, and of what
CREATE TABLE basis (
    made_at TIMESTAMPTZ NOT NULL,
    snapshot_id VARCHAR,            -- the graph that was current
    entries BIGINT NOT NULL,        -- of the ledger, up to and with the last one that these tables tell of
    head VARCHAR NOT NULL           -- the hash of that one; empty where there is none
);

-- one row is one wake of an agent
CREATE TABLE wake (
    batch_id VARCHAR NOT NULL,
    agent VARCHAR NOT NULL,
    snapshot_id VARCHAR NOT NULL,
    business_date DATE NOT NULL,
    woken_at TIMESTAMPTZ NOT NULL,
    state VARCHAR NOT NULL,         -- waiting | answered | decided | closed | halted
    shown BIGINT NOT NULL,          -- rows that the agent was shown
    proposed BIGINT NOT NULL,       -- rows that it proposed something for
    declined BIGINT NOT NULL,       -- rows that it proposed nothing for, and said why
    failed BIGINT NOT NULL,         -- rows that it left to a person
    refused BIGINT NOT NULL         -- rows whose answer was malformed
);

-- one row is one thing that an agent wished, or a person in its place
CREATE TABLE action (
    action VARCHAR NOT NULL,
    agent VARCHAR NOT NULL,
    action_type VARCHAR NOT NULL,
    entity_id VARCHAR NOT NULL,     -- as it was called then
    batch_id VARCHAR NOT NULL,
    row_id VARCHAR NOT NULL,
    snapshot_id VARCHAR,            -- the graph that woke the agent
    business_date DATE,
    proposed_at TIMESTAMPTZ NOT NULL,
    edited_from VARCHAR,            -- the action that a person changed into this one
    verdict VARCHAR,                -- of its last decision: allow | review | deny; none: undecided
    decided_at TIMESTAMPTZ,
    outcome VARCHAR,                -- of its effect: pending | sending | halted | done | failed | unknown; none: no effect
    undone BOOLEAN NOT NULL         -- its effect was taken back
);

-- one row is one answer of the gate; an action has several where it was asked again
CREATE TABLE decision (
    decision_id BIGINT NOT NULL,
    action VARCHAR NOT NULL,
    agent VARCHAR NOT NULL,
    action_type VARCHAR NOT NULL,
    entity_id VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,       -- allow | review | deny
    reasons VARCHAR[] NOT NULL,     -- codes of what spoke against it, or of why it was allowed
    policies VARCHAR[] NOT NULL,    -- names of the policies that decided
    policy_digest VARCHAR NOT NULL, -- of all that were asked
    snapshot_id VARCHAR,            -- the graph that it rests on
    decided_at TIMESTAMPTZ NOT NULL,
    last BOOLEAN NOT NULL           -- the one that counts
);

-- one row is one wait for a person: from when an action was held until it was answered, fell away, or now
CREATE TABLE approval (
    action VARCHAR NOT NULL,
    agent VARCHAR NOT NULL,
    action_type VARCHAR NOT NULL,
    entity_id VARCHAR NOT NULL,
    decision_id BIGINT NOT NULL,    -- the decision that held it
    held_at TIMESTAMPTZ NOT NULL,
    state VARCHAR NOT NULL,         -- waiting | approve | edit | reject | over (it was decided anew, or fell away)
    approval_id VARCHAR,
    person VARCHAR,                 -- who answered
    ended_at TIMESTAMPTZ,           -- when the wait was over; none: it is not
    seconds DOUBLE,                 -- how long it was
    expires_at TIMESTAMPTZ,         -- of an approval
    consumed_at TIMESTAMPTZ,        -- when an approval was used up by its effect
    voided_at TIMESTAMPTZ,          -- when something that it rested on changed
    void_code VARCHAR               -- what
);

-- one row is one effect that was meant, and what became of it
CREATE TABLE outcome (
    action VARCHAR NOT NULL,
    agent VARCHAR NOT NULL,
    action_type VARCHAR NOT NULL,
    entity_id VARCHAR NOT NULL,
    permit_id VARCHAR NOT NULL,
    effect_key VARCHAR NOT NULL,
    tool_server VARCHAR NOT NULL,
    tool VARCHAR NOT NULL,
    state VARCHAR NOT NULL,         -- pending | sending | halted | done | failed | unknown
    attempts BIGINT NOT NULL,
    intended_at TIMESTAMPTZ NOT NULL,
    settled_at TIMESTAMPTZ,
    confirmed_record VARCHAR,       -- the row in which a later graph showed it
    undo_state VARCHAR,             -- of its compensation, as `state`; none: nobody asked for one
    undo_at TIMESTAMPTZ,            -- when that was settled, or meant where it is not
    tainted VARCHAR[] NOT NULL      -- how its entity is another by now: split | merged | judged | retired
);

-- one row is one step's work on one row that woke an agent
CREATE TABLE handoff (
    batch_id VARCHAR NOT NULL,
    agent VARCHAR NOT NULL,
    row_id VARCHAR NOT NULL,
    entity_id VARCHAR NOT NULL,
    action VARCHAR,                 -- what was proposed for that row in the end
    number BIGINT NOT NULL,
    step VARCHAR NOT NULL,
    attempts BIGINT NOT NULL,       -- 1: it went at once
    state VARCHAR NOT NULL,         -- passed | declined | failed
    output_digest VARCHAR NOT NULL, -- of what was handed on; empty where nothing was
    taken_at TIMESTAMPTZ NOT NULL
);

-- one row is one stop of an agent, of an action type, or of everything
CREATE TABLE stop (
    number BIGINT NOT NULL,
    scope VARCHAR NOT NULL,         -- agent | action_type | all
    name VARCHAR NOT NULL,          -- of the agent or action type; empty of all
    stopped_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,         -- when it might go on; none: it may not yet
    person VARCHAR NOT NULL,        -- who stopped it
    proven BOOLEAN,                 -- nothing of it ran or was delivered any more; none: nobody looked
    looked_at TIMESTAMPTZ,          -- when that was looked at last
    stood_still_after DOUBLE        -- seconds after the stop until that was seen, or was no longer waited for
);

-- one row is one way in which a row of a source, which Precede's account wrote, has no effect to account for it
CREATE TABLE incident (
    record_id VARCHAR NOT NULL,     -- of that row
    how VARCHAR NOT NULL,           -- no_entry | never_sent | said_failed | doubled
    action VARCHAR,                 -- whose effect the row says that it is; none: of no effect that was ever meant
    agent VARCHAR,
    snapshot_id VARCHAR NOT NULL,   -- the first graph that shows it
    found_at TIMESTAMPTZ NOT NULL
);
