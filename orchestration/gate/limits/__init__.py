"""How much may be done, and when: what was done is counted, and what more there may be is said.

    windows   when effects may happen: pure
    usage     counts against bounds: pure
    touch     what one effect is counted by: pure
    count     reading the counts from the store
    keep      writing down what is counted, in the transactions of decisions, effects and outcomes

What cards and action types may declare of it stands in `orchestration/limits.py`.
"""
