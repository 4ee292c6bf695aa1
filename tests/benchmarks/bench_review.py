"""How long until a pull request of fifty files is reviewed: from GitHub's webhook to the review that GitHub took.

Run it as `python -m tests.benchmarks.bench_review`, on an idle machine. The model is a stub that answers at once, so
that what is measured is everything else: the webhook, the reads, the diff, the rules and the posts. Pull requests come
one after another; `--files` are in each. The time begins when the stand-in makes the webhook and ends when it has
answered the one `POST …/reviews`, both by its own clock.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from bot.sandbox.github import shop
from tests.benchmarks.figures import Figures, arguments, percentile
from tests.system.town import Json, Town, town

ANSWER = {"summary": "Fifty deployments lose their probes.", "findings": []}
FILE = shop.DEPLOYMENT + "".join(f"# what was decided, line {line}\n" for line in range(200))
CHANGED = FILE.replace(shop.PROBE, "").replace("line 100\n", "line 100, anew\n")


async def main() -> None:
    """Measure and print."""
    given = arguments(str(__doc__).partition("\n")[0], pulls=20, files=50)
    figures = Figures(f"Reviews: {given.pulls} pull requests of {given.files} files, a stub model")
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as folder:
        async with town(Path(folder), fork=False, github=True, messages=True) as here:
            script = f"{here.urls['messages']}/sandbox/messages/script"
            async with here.session.post(script, json={"answers": [{"json": ANSWER, "times": None}]}) as response:
                assert response.status < 400, await response.text()
            await here.serve()
            seconds = [await _reviewed(here, number, given.files) for number in range(given.pulls)]
            async with here.session.get(f"{here.urls['messages']}/sandbox/messages/requests") as response:
                asked = len((await response.json())["requests"])
    for share in (0.5, 0.95, 1.0):
        label = "worst" if share == 1 else f"p{share * 100:.0f}"
        goal = "< 3000" if share == 0.95 else ""
        figures.add(f"webhook to review posted: {label}", 1000 * percentile(seconds, share), "ms", goal)
    figures.add("model asked", asked, "times")
    figures.show(as_json=given.json)


async def _reviewed(here: Town, number: int, files: int) -> float:
    repository = f"shop/bench-{number}"
    paths = [f"apps/service-{each}/deployment.yaml" for each in range(files)]
    await here.on_github("create-repository", full_name=repository, files=dict.fromkeys(paths, FILE))
    await here.on_github("push", full_name=repository, branch="change", files=dict.fromkeys(paths, CHANGED))
    await here.on_github("open-pull", full_name=repository, head="change")

    async def posted() -> list[Json]:
        async with here.session.get(f"{here.urls['github']}/sandbox/github/calls") as response:
            calls: list[Json] = (await response.json())["calls"]
        path = f"/repos/{repository}/pulls/1/reviews"
        return [call for call in calls if (call["method"], call["path"], call["status"]) == ("POST", path, 200)]

    (review,) = await here.until(posted, f"the review of {repository}")
    async with here.session.get(f"{here.urls['github']}/sandbox/github/deliveries") as response:
        deliveries: list[Json] = (await response.json())["deliveries"]
    began = max(one["at"] for one in deliveries if (one["event"], one["repository"]) == ("pull_request", repository))
    return float(review["at"] - began)


if __name__ == "__main__":
    asyncio.run(main())
