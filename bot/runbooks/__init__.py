"""Runbooks: the catalogue, the plan of one use, its execution and the verification that it helped."""
