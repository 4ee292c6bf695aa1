"""The failure modes that the rule-based analyst knows: one module each, a pure function from facts to suspicions."""
