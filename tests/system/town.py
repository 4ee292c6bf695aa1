"""A whole installation in processes of its own: the stand-ins, and a `signoff serve` that a test may kill and start."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import json
import os
import re
import signal
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import aiohttp
import psycopg
import yaml

from bot import shipped
from bot.chat.manifest import manifest
from bot.runbooks import catalogue, rbac
from bot.sandbox.kubernetes import shop
from bot.sandbox.story import Page
from tests.ports import free_port
from tests.system.processes import Process, start
from tests.waiting import wait_until

T = TypeVar("T")
Json = dict[str, Any]

TOKEN = "town-" + "0" * 32
SECONDS = 45.0
LEE, PRIYA, DANA, GUEST = "U0LEE", "U0PRIYA", "U0DANA", "U0GUEST"
"""People of the workspace. The first two are the approvers, if no test says otherwise."""
WITHOUT_RUNNER: Mapping[str, Any] = {"clusters": {"prod": {"reader": {"context": "prod-reader"}}}}
WITHOUT_CLUSTER: Mapping[str, Any] = {
    "clusters": {"staging": {"reader": {"context": "staging-reader"}}},
    "default_cluster": "staging",
}
"""What `configure` takes for the cluster where nothing can be changed any more, or that is gone."""
KILLED_AT = Path(__file__).with_name("killed_at.py")


class Town:
    """One installation. `page` acts as people do, `kubernetes` is the control API, `rows` looks into the database."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], urls: Mapping[str, str], page: Page, *, fork: bool = True
    ) -> None:
        self.folder = folder
        self.environment = dict(environment)
        self.urls = urls
        self.page = page
        self.session: aiohttp.ClientSession
        self.url = f"http://{environment['SIGNOFF_LISTEN']}"
        self.serving: Process | None = None
        self._fork = fork
        self.replicas = [self]

    def replica(self) -> Town:
        """One more process for the same database and workspace, not started yet: it has a port and a log of its own."""
        listen = {"SIGNOFF_LISTEN": f"127.0.0.1:{free_port()}"}
        other = Town(self.folder, self.environment | listen, self.urls, self.page, fork=self._fork)
        other.session = self.session
        self.replicas.append(other)
        other.replicas = self.replicas
        return other

    def configure(self, **changes: Any) -> None:
        """Change keys of the configuration file; the next `serve` reads them."""
        path = Path(self.environment["SIGNOFF_CONFIG"])
        path.write_text(json.dumps({**yaml.safe_load(path.read_text()), **changes}, indent=1))

    # --- the bot's process ------------------------------------------------------------------------------------------

    async def serve(self, *, killed_at: str = "", ready: bool = True, **more: str) -> None:
        """Start `signoff serve` and wait until it is ready with no problems. `killed_at` is for `killed_at.py`."""
        words = [str(KILLED_AT), killed_at, "serve"] if killed_at else ["-m", "bot", "serve"]
        self.serving = start(words, self.environment | more, out=self._log, errors=self._log, fork=self._fork)
        if ready:
            await self.until(self.is_ready, "the bot to be ready")

    async def is_ready(self) -> bool:
        """Whether the bot says that it is ready and has no problems, but for the time that a test let pass."""
        with contextlib.suppress(aiohttp.ClientError):
            async with self.session.get(f"{self.url}/readyz") as response:
                state = await response.json()
                problems = [each for each in state["problems"] if not each.startswith("time: ")]
                return bool(state["ready"] and not problems)
        return False

    def kill(self) -> None:
        """kill -9."""
        assert self.serving is not None
        self.serving.kill()
        self.serving.wait()

    def stop(self) -> None:
        """SIGTERM, as an orchestrator does."""
        assert self.serving is not None
        self.serving.send_signal(signal.SIGTERM)
        self.serving.wait(20)

    async def interrupted(self, at: str, **more: str) -> None:
        """Start the bot, let Lee approve the rollback of checkout, and kill the bot at that write of its run."""
        await self.serve(killed_at=at, **more)
        await self.alert(checkout_alert())
        await self.page.click(LEE, await self.request(), "Approve")
        await self.died()

    async def died(self) -> None:
        """Wait until the bot's process is gone."""
        assert self.serving is not None
        serving = self.serving
        await self.until(lambda: serving.poll() is not None, "the bot to die")

    def log(self) -> str:
        """Everything that this process of the bot logged."""
        return self._log.read_text(errors="replace")

    @property
    def _log(self) -> Path:
        return self.folder / f"serve-{self.replicas.index(self)}.log"

    def lives(self) -> bool:
        """Whether this process runs."""
        return self.serving is not None and self.serving.poll() is None

    # --- what comes in ----------------------------------------------------------------------------------------------

    async def alert(self, body: Json, *, token: str = TOKEN) -> int:
        """Deliver a webhook and return the answer's status; 0 if there was none."""
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with self.session.post(f"{self.url}/webhooks/alertmanager", json=body, headers=headers) as response:
                return response.status
        except aiohttp.ClientError:
            return 0

    async def control(self, path: str, body: Json) -> Json:
        """Use the control API of the Kubernetes stand-in."""
        url = f"{self.urls['kubernetes']}/sandbox/kubernetes/{path}"
        async with self.session.post(url, json=body) as response:
            answer: Json = await response.json()
            assert response.status < 400, answer
            return answer

    async def lose(self, when: Literal["before", "after"]) -> None:
        """Let the next change of the shop's checkout get no answer: it is lost before it has its effect, or after."""
        call = {"verb": "patch", "resource": "deployments", "name": "checkout", "dry_run": False}
        await self.control("faults", {"action": "drop", **call, "when": when})

    async def arrive_late(self, seconds: float) -> None:
        """Let the connection of the next change of the shop's checkout break, so long before it has its effect."""
        call = {"verb": "patch", "resource": "deployments", "name": "checkout", "dry_run": False}
        await self.control("faults", {"action": "late", **call, "seconds": seconds})

    async def somebody_changes_checkout(self) -> None:
        """Let somebody else give the shop's checkout another image."""
        checkout = await self.deployment()
        (container,) = checkout["spec"]["template"]["spec"]["containers"]
        container["image"] = "registry.example/shop/checkout:4.18.1"
        changed = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "checkout", "namespace": "shop"},
            "spec": {"template": {"spec": {"containers": [container]}}},
        }
        await self.control("apply", {"cluster": "prod", "objects": [changed]})

    async def on_github(self, act: str, **given: Any) -> Json:
        """Do something on the GitHub stand-in, as a person or a runner."""
        async with self.session.post(f"{self.urls['github']}/sandbox/github/{act}", json=given) as response:
            answer: Json = await response.json()
            assert response.status == 200, answer
            return answer

    async def model_answers(self, *answers: Json) -> None:
        """Let the model's stand-in answer this, one after the other."""
        async with self.session.post(
            f"{self.urls['messages']}/sandbox/messages/script", json={"answers": list(answers)}
        ) as response:
            assert response.status < 400, await response.text()

    async def github(self, repository: str = "shop/deploy") -> Json:
        """What the GitHub stand-in holds of a repository."""
        url = f"{self.urls['github']}/sandbox/github/state?repository={repository}"
        async with self.session.get(url) as response:
            found: Json = await response.json()
            return found

    async def writes(self, cluster: str = "prod") -> list[str]:
        """The calls that changed the cluster, apart from dry runs."""
        calls = await self.page.kubernetes_calls(self.urls["kubernetes"])
        return [f"{call['method']} {call['path']}" for call in calls if call["applied"]]

    async def deployment(self, name: str = "checkout", cluster: str = "prod") -> Json:
        """Read a deployment of the shop."""
        url = f"{self.urls['kubernetes']}/sandbox/kubernetes/state?cluster={cluster}&kind=deployments"
        async with self.session.get(url) as response:
            found = json.dumps(await response.json())
        for candidate in _objects(json.loads(found)):
            if candidate.get("kind") == "Deployment" and candidate["metadata"]["name"] == name:
                return candidate
        raise AssertionError(f"there is no deployment {name}")

    async def checkout_is_broken(self) -> bool:
        """Whether a pod of the shop's checkout waits for an image that cannot be pulled."""
        async with self.session.get(
            f"{self.urls['kubernetes']}/sandbox/kubernetes/state?cluster=prod&kind=pods"
        ) as response:
            return "ErrImagePull" in await response.text()

    # --- what is seen -----------------------------------------------------------------------------------------------

    async def until(self, holds: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
        """Wait for a condition, which may be a coroutine function, and return what it returned."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = holds()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"waited {seconds:.0f} s for {what}. The log ends:\n{self.log()[-3000:]}")

    async def ops(self, text: str, *, user: str = LEE, channel: str = "C0INCIDENTS") -> str:
        """Type a command, and return what only this person is told at once."""
        act = {"user": user, "channel": channel, "text": f"/ops {text}", "wait": 10}
        outcome = await self.page.act("/sandbox/command", act)
        return " ".join(message["text"] for message in outcome["ephemeral"])

    async def sees(self, pattern: str, *, user: str = LEE, seconds: float = SECONDS) -> Json:
        """Wait until somebody sees a message (or a reply, or an ephemeral) whose push text matches."""

        async def found() -> Json | None:
            messages = [m for top in await self.page.messages(user) for m in (top, *top.get("replies", []))]
            return next((m for m in messages if re.search(pattern, m["text"])), None)

        message: Json = await self.until(found, f"a message like {pattern!r}", seconds)
        return message

    async def direct(self, user: str) -> list[str]:
        """What this person reads in their own conversation with the bot."""

        async def read(path: str) -> Json:
            async with self.session.get(f"{self.urls['slack']}/sandbox/{path}?user={user}") as response:
                found: Json = await response.json()
                return found

        own = [each["id"] for each in (await read("channels"))["channels"] if each["id"].startswith("D")]
        return [message["text"] for each in own for message in (await read(f"channels/{each}/messages"))["messages"]]

    async def choose(self, user: str, message: Json, label: str) -> None:
        """Choose from the menu behind the three dots."""
        offered = menu(message)
        (option,) = [each for each in offered.get("options", [offered]) if each["text"]["text"].startswith(label)]
        clicked = {"channel": "C0INCIDENTS", "ts": message["ts"], "action_id": offered["action_id"]}
        await self.page.act(
            "/sandbox/click", clicked | {"user": user, "value": option["value"], "stale": True, "wait": 10}
        )

    async def delete(self, message: Json, *, channel: str = "C0INCIDENTS") -> None:
        """Let somebody delete a message of the bot's in Slack."""
        headers = {"Authorization": f"Bearer {self.environment['SLACK_BOT_TOKEN']}"}
        body = {"channel": channel, "ts": message["ts"]}
        async with self.session.post(f"{self.urls['slack']}/api/chat.delete", json=body, headers=headers) as response:
            assert (await response.json())["ok"]

    async def modal(self, user: str) -> Json:
        """Wait until somebody has a modal open: it may come after other things that can be seen."""

        async def found() -> Json | None:
            async with self.session.get(f"{self.urls['slack']}/sandbox/views?user={user}") as response:
                modals: list[Json] = (await response.json())["modals"]
                return modals[-1] if modals else None

        opened: Json = await self.until(found, f"a modal of {user}")
        return opened

    async def is_no_more_on_the_card(self, words: str, *, of: str = "INC-1") -> None:
        """Wait until an incident's card does not have these words in it."""

        async def gone() -> bool:
            return words not in str((await self.sees(f"^{of} "))["blocks"])

        await self.until(gone, f"a card of {of} without {words!r}")

    async def count(self, pattern: str, *, user: str = LEE) -> int:
        """How many messages match now."""
        messages = [m for top in await self.page.messages(user) for m in (top, *top.get("replies", []))]
        return sum(re.search(pattern, m["text"]) is not None for m in messages)

    async def request(self, number: int = 1) -> Json:
        """Wait for a request for sign-off that has its buttons."""

        async def found() -> Json | None:
            for message in [m for top in await self.page.messages("U0LEE") for m in (top, *top.get("replies", []))]:
                rows = [block for block in message.get("blocks", []) if block["type"] == "actions"]
                if any(row["block_id"] == f"A-{number}" for row in rows):
                    # Of several requests on one card, only this one's buttons are there to be clicked.
                    others = [row for row in rows if row["block_id"] != f"A-{number}"]
                    return message | {"blocks": [block for block in message["blocks"] if block not in others]}
            return None

        message: Json = await self.until(found, f"the buttons of A-{number}")
        return message

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Query the database beside the bot."""
        url = self.environment["SIGNOFF_DATABASE_URL"]
        if not url.startswith("sqlite"):
            with psycopg.connect(url, autocommit=True) as connection:
                return connection.execute(query.replace("?", "%s").encode(), values).fetchall()
        path = url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()

    def settled(self, *, said: bool = True) -> bool:
        """Whether every row that wants work has had it, and everything was ``said``."""
        tables = ("alert_groups", "incidents", "votes", "runs", *(["outbox"] if said else []))
        # All that an UNKNOWN run still wants is to be looked at later.
        later = {"runs": " AND state <> 'unknown'"}
        return not any(
            self.rows(f"SELECT 1 FROM {table} WHERE done < wanted{later.get(table, '')}") for table in tables
        )

    def alter(self, statement: str, *values: Any) -> None:
        """Change the database behind the bot's back, as damage does."""
        url = self.environment["SIGNOFF_DATABASE_URL"]
        if not url.startswith("sqlite"):
            with psycopg.connect(url, autocommit=True) as there:
                assert there.execute(statement.replace("?", "%s").encode(), values).rowcount > 0, statement
            return
        path = url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection, connection:
            assert connection.execute(statement, values).rowcount > 0, statement

    async def cannot_be_read(self, name: str = "checkout") -> None:
        """Let the runner's reads of a deployment of the shop fail until ``heal``."""
        call = {"verb": "get", "resource": "deployments", "name": name, "identity": "runner"}
        await self.control("faults", {"action": "status", "code": 503, **call, "times": 1000})

    async def heal(self) -> None:
        """Let no more of the cluster's requests fail."""
        async with self.session.delete(f"{self.urls['kubernetes']}/sandbox/kubernetes/faults") as response:
            assert response.status == 200

    def time_passes(self, seconds: float) -> None:
        """Let the store's time go on, beyond which no clock can be set back."""
        now, later = int(time.time() * 1_000_000), int(seconds * 1_000_000)
        higher = "CASE WHEN value > ? THEN value ELSE ? END"
        self.alter(f"UPDATE counters SET value = {higher} + ? WHERE name = 'clock'", now, now, later)

    def audit_holds(self) -> bool:
        """`signoff audit verify`."""
        said = self.folder / "verify.log"
        words = ["-m", "bot", "audit", "verify"]
        return start(words, self.environment, out=said, errors=said, fork=self._fork).wait(60) == 0


def menu(message: Json) -> Json:
    """Return what stands behind the three dots of a request: a menu, or the only button that would be in it."""
    elements = [each for block in message["blocks"] if block["type"] == "actions" for each in block["elements"]]
    (found,) = [each for each in elements if each["action_id"] == "apr.more"]
    return dict(found)


OpenShop = Callable[..., contextlib.AbstractAsyncContextManager[Town]]
"""Makes an installation with these keys in its configuration file."""


def _objects(data: Any) -> Iterator[Json]:
    if isinstance(data, dict):
        if "kind" in data and "metadata" in data:
            yield data
        for value in data.values():
            yield from _objects(value)
    elif isinstance(data, list):
        for value in data:
            yield from _objects(value)


@contextlib.asynccontextmanager
async def town(
    folder: Path,
    *,
    runbooks: Path | None = None,
    messages: bool = False,
    github: bool = False,
    loki: bool = False,
    database: str = "",
    alertmanager: bool = False,
    fork: bool = True,
) -> AsyncIterator[Town]:
    """Start the stand-ins and prepare the bot's environment. Nothing is served until `serve`. ``fork`` is False where
    it counts what a process takes to start, or has of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    base = {name: os.environ[name] for name in ("HOME", "PATH", "LANG") if name in os.environ}
    base |= {
        "SIGNOFF_ALERTMANAGER_TOKEN": TOKEN,
        "SIGNOFF_SECRET_KEY": "town:" + "k" * 32,
        "SIGNOFF_DATABASE_URL": database or f"sqlite:///{folder / 'signoff.db'}",
        "SIGNOFF_LISTEN": f"127.0.0.1:{free_port()}",
    }
    if runbooks is not None:
        base["SIGNOFF_RUNBOOKS"] = str(runbooks)
    words = ["--slack", "0", "--kubernetes", "0", *(["--messages", "0"] if messages else [])]
    words += ["--manifest", str(_manifest(folder)), "--roles", str(_roles(folder, shipped.runbooks(runbooks)))]
    if github:
        words += ["--github", "0", "--github-webhook", f"http://{base['SIGNOFF_LISTEN']}/webhooks/github"]
    words += ["--loki", "0"] if loki else []
    words += ["--alertmanager", "0"] if alertmanager else []
    words = ["-m", "bot.sandbox", *words, "--folder", str(folder), "--json"]
    said = folder / "sandbox.json"
    said.unlink(missing_ok=True)
    process = start(words, base, out=said, errors=folder / "sandbox.log", fork=fork)
    here: Town | None = None
    try:
        told = json.loads(await first_line(said))
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            page = Page(session, told["urls"]["slack"])
            await page.begin()
            here = Town(folder, base | told["environment"], told["urls"], page, fork=fork)
            here.session = session
            # An alert that came before there was anything to see would be triaged as one of which nothing is known.
            await here.until(here.checkout_is_broken, "the shop's checkout to be broken")
            yield here
    finally:
        for each in here.replicas if here is not None else ():
            if each.lives():
                each.kill()
        process.terminate()
        await asyncio.to_thread(process.wait, 20)


def _manifest(folder: Path) -> Path:
    """What `signoff manifest` prints: the stand-ins start a process to ask for what they are not given."""
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest()))
    return path


def _roles(folder: Path, runbooks: Path) -> Path:
    """What `signoff rbac -n shop --nodes` prints."""
    path = folder / "roles.yaml"
    path.write_text(_roles_for(tuple((each.name, each.read_bytes()) for each in sorted(runbooks.glob("*.yaml")))))
    return path


@functools.cache
def _roles_for(runbooks: tuple[tuple[str, bytes], ...]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in runbooks:
            (Path(folder) / name).write_bytes(data)
        roles = rbac.roles(catalogue.load(Path(folder)), [shop.NAMESPACE], "signoff", nodes=True)
    return "\n---\n".join(map(json.dumps, roles))


async def first_line(path: Path) -> str:
    """Wait for a file to have a line."""

    def line() -> str:
        text = path.read_text() if path.exists() else ""
        return text.partition("\n")[0] if "\n" in text else ""

    return await wait_until(line, SECONDS, "the stand-ins to say where they are")


def quick_runbooks(folder: Path) -> Path:
    """The shipped runbooks, verified within seconds rather than minutes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _quick().items():
        (folder / name).write_text(text)
    return folder


@functools.cache
def _quick() -> dict[str, str]:
    found = {}
    for path in (Path(__file__).parents[2] / "runbooks").glob("*.yaml"):
        data = yaml.safe_load(path.read_text())
        data["verification"] |= {"stable_seconds": 1, "deadline_seconds": 30}
        found[path.name] = yaml.safe_dump(data, sort_keys=False)
    return found


def checkout_alert(status: str = "firing", *, starts_at: str = "2026-11-21T10:00:00Z", **labels: str) -> Json:
    """A group of one alert about the shop's checkout, as Alertmanager sends it."""
    given = {
        "alertname": "KubeDeploymentRolloutStuck",
        "cluster": "prod",
        "namespace": "shop",
        "deployment": "checkout",
        "severity": "critical",
    } | labels
    alert = {
        "status": status,
        "labels": given,
        "annotations": {"summary": "The rollout of checkout is not progressing."},
        "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-11-21T10:30:00Z",
        "generatorURL": "",
        "fingerprint": hashlib.sha256(f"{given['cluster']}/{given['deployment']}".encode()).hexdigest()[:16],
    }
    return {
        "version": "4",
        "receiver": "signoff",
        "status": status,
        "groupKey": f'{{}}:{{cluster="{given["cluster"]}", deployment="{given["deployment"]}"}}',
        "groupLabels": {"cluster": given["cluster"]},
        "commonLabels": given,
        "commonAnnotations": alert["annotations"],
        "externalURL": "http://alertmanager.example",
        "truncatedAlerts": 0,
        "alerts": [alert],
    }
