"""The documentation's site, opened from a folder in a browser: part of `make test-page`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MKDOCS = ROOT / ".venv-tools/docs/bin/mkdocs"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PAGES = ["index", "tutorial", "how-to/errors", "how-to/monitor", "reference/settings", "scale"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [MKDOCS, "build", "--strict", "--quiet", "--site-dir", folder],
        check=True,
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    assert program, "no Chromium: install it, or name it in the variable CHROMIUM"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, chromium_sandbox=False)


def test_the_search_works_from_a_folder(browser: Any, site: Path) -> None:
    page = browser.new_page()
    requested: list[str] = []
    page.on("request", lambda asked: requested.append(asked.url))
    page.goto((site / "index.html").as_uri())
    page.get_by_role("textbox", name="Search").fill("PLUVO_KEEP_DAYS")
    result = page.locator(".md-search-result__item a").first
    result.wait_for()
    assert "disk" in result.get_attribute("href")
    page.close()
    assert all(address.startswith(site.as_uri()) for address in requested)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_contrast(browser: Any, site: Path, name: str, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto((site / f"{name}.html").as_uri())
    found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response
    page.close()
    wrong = [node for it in found["violations"] for node in it["nodes"]]
    assert [(node["html"], node["any"][0]["message"]) for node in wrong] == []
    assert found["passes"]
