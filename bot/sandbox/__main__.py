"""Runs the stand-ins as a process of their own: ``python -m bot.sandbox``."""

from bot.sandbox.launch import sandbox

if __name__ == "__main__":
    sandbox(prog_name="python -m bot.sandbox")
