"""The parts of explaining a CI failure: a job's log, its first real error, and what that has to do with the diff."""
