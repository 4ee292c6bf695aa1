"""Megabytes a second of the redactor on made-up logs: clean, with secrets, one giant line, and many held secrets.

Run it as `python tests/benchmarks/bench_redact.py`. Times are of the processor; it prints and asserts nothing, since
the machine is shared.
"""

import random
import string
import time
from collections.abc import Callable

from bot.redact import Redactor

SIZE = 200_000
ROUNDS = 9


def main() -> None:
    """Print one line a case: size, best and median time, megabytes a second at the median, secrets found."""
    generator = random.Random(1)
    few = Redactor([_letters(generator, 40) for _ in range(10)], key=b"bench")
    many = Redactor([_letters(generator, 40) for _ in range(500)], key=b"bench")
    clean = _text(lambda: _clean_line(generator))
    cases = (
        ("clean log", few, clean),
        ("a secret in every 20th line", few, _text(lambda: _line(generator, 20))),
        ("a secret in every line", few, _text(lambda: _line(generator, 1))),
        ("clean log in one line", few, clean.replace("\n", " ")),
        ("clean log, 500 held secrets", many, clean),
    )
    print(f"{'case':32} {'KB':>6} {'best ms':>8} {'median ms':>10} {'MB/s':>7} {'found':>6}")
    for name, redactor, text in cases:
        times = sorted(_seconds(redactor, text) for _ in range(ROUNDS))
        median = times[ROUNDS // 2]
        found = sum(redactor.scan(text).counts.values())
        speed = len(text) / 1e6 / median
        print(f"{name:32} {len(text) / 1e3:6.0f} {times[0] * 1e3:8.1f} {median * 1e3:10.1f} {speed:7.1f} {found:6}")


def _seconds(redactor: Redactor, text: str) -> float:
    start = time.process_time()
    redactor.text(text)
    return time.process_time() - start


def _text(line: Callable[[], str]) -> str:
    lines: list[str] = []
    size = 0
    while size < SIZE:
        lines.append(line())
        size += len(lines[-1]) + 1
    return "\n".join(lines)


def _clean_line(generator: random.Random) -> str:
    pod = "checkout-" + "".join(generator.choices("bcdfghjklmnpqrstvwxz2456789", k=15))
    return generator.choice(
        (
            f"2026-11-21T09:00:00.{generator.randrange(10**6):06}Z INFO {pod} GET /api/v1/cart/42 status=200 dur=12ms",
            f'{{"level":"info","msg":"request done","trace_id":"{generator.randbytes(16).hex()}","status":200}}',
            f"E1121 09:00:00.1 1 reflector.go:158] k8s.io/client-go: failed to list *v1.Pod: {pod} is forbidden",
            f"http://{pod}.shop.svc:8080/healthz key=app.kubernetes.io/name auth=none token expired, trying again",
        )
    )


def _line(generator: random.Random, every: int) -> str:
    line = _clean_line(generator)
    if generator.randrange(every):
        return line
    return f"{line} {generator.choice(('password=', 'token: xoxb-1234567890-', 'key=ghp_'))}{_letters(generator, 36)}"


def _letters(generator: random.Random, length: int) -> str:
    return "".join(generator.choices(string.ascii_letters + string.digits, k=length))


if __name__ == "__main__":
    main()
