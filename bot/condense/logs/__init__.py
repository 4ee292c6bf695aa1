"""The log digest: a stream of bytes in, the lines worth reading out, within a budget of tokens.

``Reader`` takes the bytes in one pass (``reader``); ``rank`` puts what it kept in the order of its worth, redacted;
``digest`` shows as much of that as a budget pays for. ``templates`` describes every kind of line that occurred.

    reader = Reader(year=2026)
    reader.source("job build")                # optional: names what follows
    reader.feed(data)                         # bytes, in any portions
    ranking = rank(reader.finish(), redactor.text)
    found = digest(ranking, 4000)             # .text for readers, .excerpts line by line, .kept their numbers

Feeding what was healthy first, then ``reader.mark_baseline()``, makes what is new worth more. Pure: no clock, no file.
"""
