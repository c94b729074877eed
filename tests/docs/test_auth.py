"""docs/auth.md says what the door does, and its samples make tokens that it takes."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from playwright._impl._driver import compute_driver_executable

from hubbub.http.refusals import REFUSALS
from tests.server import house

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "auth.md").read_text()
SECRET = "a secret of more than thirty-two bytes"
NODE = compute_driver_executable()[0]  # the one that drives the browser in other tests


def test_every_refusal_is_in_the_table_and_no_other() -> None:
    table = PAGE.split("## What a refusal means")[1]
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+) \| (.+) \|$", table, re.MULTILINE)
    assert rows == [
        (code, str(status), what, advice) for code, (status, what, advice) in REFUSALS.items()
    ]


def test_every_refusal_is_one_that_the_code_gives() -> None:
    source = "\n".join(path.read_text() for path in (DOCS.parent / "src").rglob("*.py"))
    for code in REFUSALS:
        assert source.count(f'"{code}"') > 2, f"{code} is described, but never given"


@pytest.mark.parametrize(
    ("language", "command"),
    [("python", [sys.executable, "-c"]), ("js", [NODE, "--input-type=module", "-e"])],
)
async def test_the_samples_make_tokens_that_are_taken(language: str, command: list[str]) -> None:
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert len(code.splitlines()) <= 12
    made = await asyncio.to_thread(
        subprocess.run,
        [*command, code],
        env={**os.environ, "HUBBUB_JWT_SECRET": SECRET},
        capture_output=True,
        text=True,
        check=True,
    )
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    async with (
        house(auth="required", jwt_secret=SECRET) as here,
        aiohttp.ClientSession(here.url) as session,
        session.get("/api/session", headers=headers) as answer,
    ):
        body = await answer.json()
    assert (body["username"], body["name"]) == ("u-17", "Ann")


@pytest.mark.parametrize(
    "section",
    ["Who gets in", "Names", "Limits", "Moderation", "The page", "What is not promised"],
)
def test_the_page_on_safety_has_its_sections(section: str) -> None:
    assert f"\n## {section}\n" in (DOCS / "security.md").read_text()
