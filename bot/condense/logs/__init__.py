"""The log digest: a stream of bytes in, the lines worth reading out, within a budget of tokens.

``Reader`` takes the bytes in one pass (``reader``); ``rank`` puts what it kept in the order of its worth, redacted;
``digest`` shows as much of that as a budget pays for. ``templates`` describes every kind of line that occurred.
"""
