"""The diff packer: a unified diff in, the changed lines most worth reading out, within a budget of tokens.

``parse`` reads a diff into a ``Patch`` and ``render`` writes it back byte for byte; ``classify`` says what kind of file
each is; ``increments`` puts all that could be shown in the order of its worth; ``pack`` shows as much of that as a
budget pays for.
"""
