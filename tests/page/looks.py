"""What a page has to be in every state: read by axe, within its window, fit for a thumb."""

from typing import Any

from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from playwright.sync_api import Page

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
SMALL = """() => [...document.querySelectorAll("button, [role=option]")].filter((one) => {
  const { width, height } = one.getBoundingClientRect();
  const shown = one.checkVisibility({ visibilityProperty: true });
  return shown && width && Math.min(width, height) < 43.5;
}).map((one) => one.outerHTML)"""
"""What a thumb would miss."""


def look(page: Page, has_touch: bool) -> None:
    """Axe finds nothing, nothing sticks out, a thumb hits all; the page bypasses its policy."""
    page.wait_for_function("() => document.getAnimations().length === 0")
    result = Axe().run(page)
    assert result.violations_count == 0, result.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if has_touch:
        assert page.evaluate(SMALL) == []
