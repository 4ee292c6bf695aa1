"""Approvals: who may sign off what, as pure functions over rows and a snapshot of the electorate."""
