"""The nouns of Signoff, as plain frozen data: no clock, no network, no database, and no other room.

Times are UTC, integer microseconds since the epoch. Rows have opaque ids; people read numbers (``INC-142``, ``A-77``).
"""
