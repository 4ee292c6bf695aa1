"""How many objects and items a JSON text holds, counted without making them: a comma within a string is text."""

from __future__ import annotations

from dataclasses import dataclass

_WINDOW = 64 * 1024
_STRUCTURE = b'"[{,'
_REST = bytes(set(range(256)) - set(_STRUCTURE))


@dataclass(frozen=True, slots=True)
class Structure:
    """Opening brackets and commas of a text. ``items`` is one less than what a list of that many commas holds."""

    containers: int
    items: int

    def within(self, containers: int, items: int) -> bool:
        """Say whether neither is more than that."""
        return self.containers <= containers and self.items <= items


def at_most(body: bytes | bytearray) -> Structure:
    """Count what could be structure, in a moment: what stands in strings counts too."""
    return Structure(body.count(b"{") + body.count(b"["), body.count(b","))


def of(body: bytes | bytearray) -> Structure:
    """Count what is structure, in time linear in the text. Of what is no JSON the count means nothing."""
    unescaped = bytes(body).replace(b"\\\\", b"").replace(b'\\"', b"")
    reduced = unescaped.translate(None, _REST)
    containers = items = quoted = 0
    for start in range(0, len(reduced), _WINDOW):
        pieces = reduced[start : start + _WINDOW].split(b'"')
        outside = b"".join(pieces[quoted::2])
        containers += outside.count(b"{") + outside.count(b"[")
        items += outside.count(b",")
        quoted ^= (len(pieces) - 1) & 1
    return Structure(containers, items)
