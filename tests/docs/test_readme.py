"""The README's clients run as they stand there (but for the port)."""

import asyncio
import re
import sys
from pathlib import Path

from playwright.async_api import async_playwright

from tests.browser import chromium_path
from tests.server import PATIENCE, house

README = (Path(__file__).parent.parent.parent / "README.md").read_text()


def sample(language: str, port: int) -> str:
    (code,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert len(code.splitlines()) <= 13
    return str(code).replace("127.0.0.1:3000", f"127.0.0.1:{port}")


async def test_the_python_client_talks() -> None:
    async with house() as here:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", sample("python", here.port), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while b"snake chat hello from Python" not in await process.stdout.readline():
                pass
        process.kill()
        await process.wait()


async def test_the_javascript_client_talks() -> None:
    async with house() as here, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox"]
        )
        page = await browser.new_page()
        await page.goto(f"{here.url}/health")
        said = "coffee chat hello from JavaScript"
        async with page.expect_console_message(lambda message: message.text == said):
            await page.evaluate("() => {" + sample("js", here.port) + "}")
        await browser.close()
