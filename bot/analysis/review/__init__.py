"""The parts of a review: what the model is shown, where a finding may stand, what verifies, and what a push changes."""
