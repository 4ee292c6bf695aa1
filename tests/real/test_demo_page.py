"""A person goes through `signoff demo` in a real Chromium: lets the alert fire, is refused, approves, sees it end.

Screenshots of every station are left in `var/screenshots/`, for people to judge.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "var" / "screenshots"
SECONDS = 60.0
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """`signoff demo`, as a newcomer starts it, and the URL that it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo"),
        cwd=ROOT,
        env={name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS):
            while (line := (await process.stdout.readline()).decode()) and "http://" not in line:
                pass
        yield re.search(r"http://\S+", line)[0]
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture(params=WIDTHS)
async def page(request: pytest.FixtureRequest, url: str, installed: Callable[[str], str]) -> AsyncIterator[Page]:
    """The page in a browser window of a desktop and of a phone; it may raise no error."""
    width, height = WIDTHS[request.param]
    phone = request.param == "phone"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=installed("chromium"), args=["--no-sandbox"])
        context = await browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=2 if phone else 1, has_touch=phone
        )
        page = await context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        await page.goto(url)
        yield page
        await browser.close()
        assert wrong == []


@pytest.fixture
def keep(page: Page, request: pytest.FixtureRequest) -> Callable[[str], object]:
    """Take a screenshot of a station."""
    width = page.viewport_size["width"]
    stations = iter(range(1, 100))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    async def take(name: str) -> None:
        overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{name} is wider than the window"
        await page.screenshot(path=SCREENSHOTS / f"{width}-{next(stations):02}-{name}.png")

    return take


async def become(page: Page, user: str) -> None:
    """Act as somebody else."""
    await page.get_by_label("Act as").select_option(user)


async def open_thread(page: Page) -> Locator:
    """Open the card's thread, where the request for sign-off and everything after it stand."""
    await page.locator("#messages .replies").first.click()
    thread = page.locator("#thread")
    await expect(thread).to_be_visible()
    return thread


async def test_a_person_signs_off_the_rollback(page: Page, keep: Callable[[str], object]) -> None:
    await expect(page.locator("#link-state")).to_have_text(re.compile("is connected"))
    await keep("empty")

    await page.get_by_role("button", name="Let the alert fire").click()
    card = page.locator("#messages .message", has_text="INC-1").first
    await expect(card).to_contain_text("KubeDeploymentRolloutStuck")
    await keep("first-card")
    await expect(card).to_contain_text("Likely cause")
    await keep("triage")
    thread = await open_thread(page)
    request = thread.locator(".message", has_text="Exact change")
    await expect(request.get_by_role("button", name="Approve")).to_be_visible()
    await request.evaluate("message => message.scrollIntoView()")
    await keep("request")
    await request.get_by_role("button", name="Approve").scroll_into_view_if_needed()
    await keep("request-buttons")

    await become(page, "U0DANA")
    await keep("dana")
    await request.get_by_role("button", name="Approve").click()
    await page.get_by_role("dialog").get_by_role("button", name=re.compile("Approve")).click()
    refusal = page.locator(".message.ephemeral")
    await expect(refusal).to_contain_text("not on the list")
    await keep("refused")

    await become(page, "U0LEE")
    await expect(refusal).to_have_count(0)
    await request.get_by_role("button", name="Approve").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await keep("confirm")
    await page.get_by_role("dialog").get_by_role("button", name=re.compile("Approve")).click()
    await expect(request.get_by_role("button", name="Approve")).to_have_count(0)
    await expect(request).to_contain_text("Approved by")
    await keep("approved")

    await expect(card).to_contain_text("Resolved")
    await expect(card).to_contain_text("it helped")
    await expect(thread.locator(".message").last).to_contain_text("helped")
    await keep("resolved-thread")
    await thread.get_by_role("button", name=re.compile("Close")).click()
    await card.scroll_into_view_if_needed()
    await keep("resolved-card")
