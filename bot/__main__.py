"""Lets ``python -m bot`` be the ``signoff`` command."""

from bot.cli import main

if __name__ == "__main__":
    main()
