"""Photograph a page for the documentation: python docs/make_page_picture.py PAGE.

PAGE is the page of a bench on synthetic scenes, such as ``report.html`` of README's first command. It is opened in the
Chromium of this machine, its error maps are chosen, a pixel is pointed at, and the window is kept as docs/page.png with
256 colours.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

TARGET = Path(__file__).parent / "page.png"
SIZE = {"width": 1280, "height": 900}


def main(page_path: Path) -> None:
    """Write docs/page.png."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(page_path.resolve().as_uri())
        page.wait_for_selector("#readout tbody tr")
        page.get_by_role("radio", name="Error").click()
        box = page.locator("figure canvas").nth(1).bounding_box()
        if box is None:
            raise SystemExit(f"{page_path} shows no picture")
        for across, down in ((0.25, 0.32), (0.9, 0.85)):
            page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
        page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.7 * box["height"])
        page.wait_for_timeout(300)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        browser.close()
    picture.quantize(256, dither=Image.Dither.NONE).save(TARGET, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
