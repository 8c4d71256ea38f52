"""The built site in headless Chromium: every page opens without a network, a complaint or anything that is missing."""

import functools
import http.server
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
NEEDED = ("material", "mkdocstrings", "latex2mathml")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 800}
IS_LIGHT = "matchMedia('(prefers-color-scheme: light)').matches"
PROBLEMS = """() => {
    const found = [...document.images]
        .filter(image => image.complete && !image.naturalWidth)
        .map(image => `missing ${image.src}`);
    const scrolled = "figure, pre, math, .md-typeset__scrollwrap";
    for (const part of document.querySelectorAll(".md-content :is(img, svg, p, li, table, math, h1, h2, h3, .whole)"))
        if (part.getBoundingClientRect().right > innerWidth + 1 && !part.closest(scrolled))
            found.push(`too wide at ${innerWidth}: ${part.outerHTML.slice(0, 80)}`);
    for (const word of document.querySelectorAll("code .whole"))
        if (word.getClientRects().length > 1) found.push(`broken at ${innerWidth}: ${word.textContent}`);
    if (document.documentElement.scrollWidth > innerWidth + 1) found.push(`scrolls sideways at ${innerWidth}`);
    return found;
}"""
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as CI builds it, warnings being errors."""
    for module in NEEDED:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", NO_NETWORK]
        )
        yield launched
        launched.close()


def test_every_page_is_whole_wide_and_narrow_light_and_dark(browser: Any, site: Path, address: str) -> None:
    page = browser.new_page()
    said: list[str] = []

    def note(complaint: str, wrong: bool = True) -> None:
        if wrong:
            said.append(complaint)

    page.on("request", lambda asked: note(f"asks for {asked.url}", not asked.url.startswith(address)))
    page.on("response", lambda got: note(f"{got.status} {got.url}", got.status >= 400))
    page.on("requestfailed", lambda asked: note(f"{asked.failure} {asked.url}"))
    page.on("console", lambda message: note(f"{message.type}: {message.text}", message.type != "log"))
    page.on("pageerror", lambda error: note(str(error)))
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if path.name != "404.html")
    assert len(pages) > 50
    found = {}
    for name in pages:
        page.set_viewport_size(WIDE)
        page.goto(address + name)
        page.wait_for_selector("h1")
        said += page.evaluate(PROBLEMS)
        page.set_viewport_size(NARROW)
        page.emulate_media(color_scheme="dark" if page.evaluate(IS_LIGHT) else "light")
        said += page.evaluate(PROBLEMS)
        if said:
            found[name] = list(said)
            said.clear()
    page.close()
    assert found == {}


def test_the_search_finds_a_word_of_a_page(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(address + "index.html?q=metamers")
    page.wait_for_selector(".md-search-result__item a")
    assert "ceiling" in page.inner_text(".md-search-result__list")
    page.close()


def test_a_table_of_sentences_is_as_wide_as_a_phone(browser: Any, address: str) -> None:
    page = browser.new_page(viewport=NARROW)
    page.goto(address + "conformance-metrics-and-data.html")
    cells = """rows => rows.map(
        row => [...row.cells].map(cell => cell.getBoundingClientRect()).map(box => [box.left, box.right])
    )"""
    rows = page.locator("table tr").evaluate_all(cells)
    assert len(rows) > 30
    assert all(len({left for left, _ in row}) == 1 and row[0][1] <= NARROW["width"] for row in rows)
    page.set_viewport_size(WIDE)
    assert all(len({left for left, _ in row}) == 3 for row in page.locator("table tr").evaluate_all(cells))
    page.goto(address + "conformance.html")
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.querySelector('table').getBoundingClientRect().right") <= NARROW["width"]
    page.close()


def test_formulas_are_drawn_by_the_browser_itself(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(address + "metrics.html")
    assert page.locator("math").count() > 30
    assert page.locator("math merror").count() == 0
    assert page.evaluate("document.body.innerText").count("$") == 0
    heights = page.locator("math[display=block]").evaluate_all("all => all.map(one => one.clientHeight)")
    assert min(heights) > 12
    page.close()
