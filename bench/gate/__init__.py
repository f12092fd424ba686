"""How fast the gate and the ledger are: decisions, effects without their delivery, walking back, verifying."""
