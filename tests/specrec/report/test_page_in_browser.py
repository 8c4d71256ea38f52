"""The page in headless Chromium without a network, with real pointer events and keys; what it shows is what is read."""

import base64
import csv
import io
import json
import re
import shutil
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from specrec.bench.results import read_results
from specrec.bench.run import bench
from specrec.cubes import write_cube
from specrec.metrics.spectral import RMSE
from specrec.rendering import render
from specrec.report import looking, view_page
from specrec.report.page import RESERVE
from specrec.report.results_page import write_results_page
from specrec.report.view_page import write_view_page
from specrec.spectra import WAVELENGTHS

pytestmark = pytest.mark.browser

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HEIGHT, WIDTH = 41, 57
MINUS = "\N{MINUS SIGN}"
HOSTILE = "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>"


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@contextmanager
def opened(browser, path, width=1280, height=900, **options):
    """A page that must say nothing on the console and ask for nothing but its own file."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_offline(True)
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("#readout tbody tr")
    yield page
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith("blob:")] == [path.as_uri()]


@pytest.fixture(scope="module")
def cubes():
    rng = np.random.default_rng(7)
    truth = rng.random((HEIGHT, WIDTH, 31), dtype=np.float32)
    mask = np.ones((HEIGHT, WIDTH), dtype=bool)
    mask[4, 5] = False
    return truth, (truth + rng.normal(0, 0.04, truth.shape)).astype(np.float32), mask


@pytest.fixture(scope="module")
def view(cubes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("view")
    truth, estimate, mask = cubes
    write_cube(folder / "truth.h5", truth, WAVELENGTHS, {"quantity": "radiance"}, mask)
    write_cube(folder / "guess.h5", estimate, WAVELENGTHS, {"quantity": "radiance"}, mask)
    return write_view_page([folder / "guess.h5", folder / "truth.h5"], folder / "page.html")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    found = bench("mean,linear", "synthetic[scenes=4,size=32]", limit=2, jobs=0, device="cpu", ceiling=0,
                  output=folder / "results")  # fmt: skip
    assert not found.failed
    read = read_results(folder / "results")
    return read, write_results_page(read, folder / "page.html")


def picture(page, cube):
    return page.locator(f"canvas[data-cube='{cube}']")


def place(page, cube, row, column, shape=(HEIGHT, WIDTH)):
    canvas = picture(page, cube)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    return box["x"] + (column + 0.5) / shape[1] * box["width"], box["y"] + (row + 0.5) / shape[0] * box["height"]


def colour(page, cube, row, column):
    """The colour in the middle of a pixel, as the canvas has it."""
    url = picture(page, cube).evaluate("(canvas) => canvas.toDataURL()")
    image = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")
    return image.getpixel((int((column + 0.5) / WIDTH * image.width), int((row + 0.5) / HEIGHT * image.height)))


def settle(page):
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def position(page):
    settle(page)
    return tuple(map(int, re.fullmatch(r"Row (\d+), column (\d+)", page.locator("#position").inner_text()).groups()))


def numbers(page):
    """The table of the spectra shown, by cube."""
    details = page.locator(".pixel > details")
    if not details.evaluate("(one) => one.open"):
        details.locator("summary").click()
    settle(page)
    names, *rows = page.locator("#spectrum tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    assert [float(nm) for nm in columns.pop("nm")] == WAVELENGTHS.tolist()
    return {name: [float(text.replace(MINUS, "-")) for text in texts if text] for name, texts in columns.items()}


def check_spectra(page, cubes, row, column):
    shown = numbers(page)
    assert position(page) == (row, column)
    for name, cube in zip(("truth", "guess"), cubes, strict=False):
        np.testing.assert_allclose(shown[name], cube[row, column], atol=3e-5)


PLACES = [(0, 0), (0, WIDTH - 1), (HEIGHT - 1, 0), (HEIGHT - 1, WIDTH - 1), (20, 33), (7, 50)]


def test_pointing_at_a_pixel_shows_the_spectra_that_the_cubes_have_there(browser, view, cubes):
    with opened(browser, view) as page:
        numbers(page)
        for row, column in PLACES:
            page.mouse.move(*place(page, "truth", row, column))
            check_spectra(page, cubes, row, column)
            page.mouse.move(*place(page, "guess", column % HEIGHT, row))
            check_spectra(page, cubes, column % HEIGHT, row)


def test_the_right_pixel_is_found_after_zoom_resize_and_scroll(browser, view, cubes):
    with opened(browser, view) as page:
        numbers(page)
        page.mouse.move(*place(page, "guess", 20, 33))
        picture(page, "guess").focus()
        page.keyboard.press("+")
        page.keyboard.press("+")
        left, top = place(page, "guess", 20, 33)
        page.mouse.move(left + 1, top + 1)
        check_spectra(page, cubes, 20, 33)  # the pixel that one zooms at stays where it is
        box = picture(page, "guess").bounding_box()
        page.mouse.move(left + 4 * 2 * box["width"] / WIDTH, top - 4 * 3 * box["height"] / HEIGHT)
        check_spectra(page, cubes, 17, 35)
        page.mouse.down()
        page.mouse.move(left - 4 * 1 * box["width"] / WIDTH, top, steps=4)  # a drag takes the picture along
        page.mouse.up()
        page.mouse.move(left, top)
        assert position(page) == (17, 36)
        page.get_by_role("button", name="Fit").click()
        page.set_viewport_size({"width": 700, "height": 600})
        page.mouse.wheel(0, 120)
        for row, column in PLACES[:5]:
            page.mouse.move(*place(page, "truth", row, column))
            check_spectra(page, cubes, row, column)


def test_arrow_keys_move_the_pixel_and_stop_at_the_border(browser, view, cubes):
    with opened(browser, view) as page:
        page.mouse.move(*place(page, "truth", 1, 1))
        picture(page, "truth").focus()
        for key in ("ArrowUp", "ArrowUp", "ArrowLeft", "Shift+ArrowRight", "ArrowDown"):
            page.keyboard.press(key)
        page.mouse.move(5, 5)
        check_spectra(page, cubes, 1, 10)
        page.keyboard.press("Tab")


def test_a_pixel_without_a_valid_spectrum_shows_none(browser, view):
    with opened(browser, view) as page:
        page.mouse.move(*place(page, "truth", 4, 5))
        assert numbers(page) == {"truth": [], "guess": []}
        assert page.locator("#readout td[data-value=band]").all_inner_texts() == ["not valid", "not valid"]


def test_the_picture_has_the_colours_of_the_rendering(browser, view, cubes):
    with opened(browser, view) as page:
        page.mouse.move(*place(page, "truth", 0, 0))
        expected = render(cubes[0])
        for row, column in ((20, 33), (39, 55), (10, 3)):
            assert colour(page, "truth", row, column) == tuple(expected[row, column])


def test_the_slider_walks_through_the_bands_by_keyboard(browser, view, cubes):
    with opened(browser, view) as page:
        page.mouse.move(*place(page, "truth", 20, 33))
        page.locator("#band").focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        assert page.locator("output.nm").inner_text() == "410 nm"
        assert page.locator("#band").get_attribute("aria-valuetext") == "410 nm"
        assert page.get_by_role("radio", name="Band").get_attribute("aria-checked") == "true"
        shown = float(page.locator("#readout tr[data-cube=guess] td[data-value=band]").inner_text().replace(MINUS, "-"))
        assert shown == pytest.approx(cubes[1][20, 33, 1], abs=3e-5)
        level = colour(page, "truth", 10, 3)
        assert level[0] == level[1] == level[2]
        white = max(np.percentile(cube[cubes[2]], 99.8) for cube in cubes[:2])
        assert level[0] == pytest.approx(255 * (cubes[0][10, 3, 1] / white) ** (1 / 2.2), abs=1)


def test_errors_of_a_pixel_and_of_the_picture_are_those_of_the_metrics(browser, view, cubes):
    truth, estimate, mask = cubes
    with opened(browser, view) as page:
        page.get_by_role("radio", name="Error").click()
        page.mouse.move(*place(page, "guess", 30, 12))
        settle(page)
        cell = page.locator("#readout tr[data-cube=guess] td[data-metric=rmse]")
        own = RMSE(estimate[30:31, 12:13], truth[30:31, 12:13], np.ones((1, 1), bool), WAVELENGTHS).value
        assert float(cell.inner_text()) == pytest.approx(own, abs=0.006)
        caption = page.locator("figure", has=picture(page, "guess")).locator("figcaption")
        whole = RMSE(estimate, truth, mask, WAVELENGTHS).value
        assert f"mean {whole:.2f}" in caption.inner_text()
        before = picture(page, "guess").evaluate("(canvas) => canvas.toDataURL()")
        page.get_by_label("Metric").select_option("de2000")
        assert picture(page, "guess").evaluate("(canvas) => canvas.toDataURL()") != before
        assert page.locator("canvas.bar").get_attribute("aria-label").startswith("CIEDE2000")


def test_pins_are_kept_downloaded_and_cleared(browser, view, cubes, tmp_path):
    with opened(browser, view) as page:
        for row, column in ((3, 7), (33, 40)):
            page.mouse.click(*place(page, "truth", row, column))
        page.mouse.move(*place(page, "truth", 20, 20))
        settle(page)
        assert [text.split("\n")[0] for text in page.locator(".pin button:first-child").all_inner_texts()] == [
            "1 Row 3, column 7",
            "2 Row 33, column 40",
        ]
        with page.expect_download() as download:
            page.get_by_role("button", name="Save CSV").click()
        download.value.save_as(tmp_path / "spectra.csv")
        with (tmp_path / "spectra.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 3 * 2 * 31
        for row in rows:
            cube = cubes[0] if row["cube"] == "truth" else cubes[1]
            band = int((float(row["wavelength_nm"]) - 400) / 10)
            assert float(row["value"]) == pytest.approx(cube[int(row["row"]), int(row["column"]), band], abs=3e-5)
        page.keyboard.press("Escape")
        settle(page)
        assert page.locator(".pin").count() == 0


def test_a_thinned_cube_says_the_places_of_the_whole_one(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(view_page, "PAGE_BYTES", RESERVE + 30_000)
    cube = np.random.default_rng(0).random((90, 60, 31), dtype=np.float32)
    write_cube(tmp_path / "large.h5", cube, WAVELENGTHS, {"quantity": "radiance"})
    path = write_view_page([tmp_path / "large.h5"], tmp_path / "page.html")
    with opened(browser, path) as page:
        said = page.locator("#said").inner_text()
        step, rows, columns = map(
            int, re.search(r"every (\d+)\w\w row and column, (\d+) . (\d+) of 90 . 60 pixels", said).groups()
        )
        page.mouse.move(*place(page, "large", rows - 1, columns - 1, (rows, columns)))
        row, column = (rows - 1) * step, (columns - 1) * step
        shown = numbers(page)["large"]
        assert position(page) == (row, column)
        np.testing.assert_allclose(shown, cube[row, column], atol=3e-5)


def test_hostile_names_are_shown_as_text(browser, tmp_path):
    shown = looking.Shown(HOSTILE, 0, WAVELENGTHS, lambda step: np.ones((4, 4, 31), np.float32),
                          lambda step: np.ones((4, 4), bool), HOSTILE)  # fmt: skip
    scenes = [looking.SceneToShow(HOSTILE, (4, 4), [shown], HOSTILE, HOSTILE, note=HOSTILE)] * 2
    data = {"kind": "view", "title": HOSTILE, "lead": HOSTILE, "scenes": looking.pack_scenes(scenes, 10**6)}
    from specrec.report.page import write_page

    with opened(browser, write_page(tmp_path / "page.html", HOSTILE, data)) as page:
        assert page.evaluate("window.broken") is None
        assert page.title() == HOSTILE
        assert page.locator("h1").inner_text() == HOSTILE
        assert page.locator("#readout .legend").inner_text() == HOSTILE
        assert page.locator("img").count() == 0


def test_the_table_is_sorted_by_its_heads(browser, results):
    read, path = results
    with opened(browser, path) as page:
        head = page.locator("#results thead button").nth(1)
        head.click()
        values = [float(text) for text in page.locator("#results tbody tr td:nth-child(2)").all_inner_texts()]
        assert values == sorted(values)
        assert page.locator("#results th[aria-sort=ascending]").inner_text().startswith("rmse")
        assert values[0] == pytest.approx(min(read.value("mean"), read.value("linear")), abs=0.001)
        head.focus()
        page.keyboard.press("Enter")
        values = [float(text) for text in page.locator("#results tbody tr td:nth-child(2)").all_inner_texts()]
        assert values == sorted(values, reverse=True)
        assert page.locator("#results th[aria-sort]:not([aria-sort=none])").get_attribute("aria-sort") == "descending"


def test_a_scene_of_the_table_is_looked_at(browser, results):
    _, path = results
    with opened(browser, path) as page:
        name = page.locator("#scenes button.link").nth(2).inner_text()
        page.locator("#scenes button.link").nth(2).click()
        page.wait_for_function(
            "(name) => document.querySelector('#looker select').selectedOptions[0].text === name", arg=name
        )
        assert page.locator("#readout .legend").all_inner_texts() == ["truth", "mean", "linear"]
        assert page.locator("svg circle.score").count() == 8


@pytest.fixture(scope="module")
def made_up(results):
    """The page of two runs, of fifteen methods with long names, of which one has an infinite score."""
    path = results[1]
    text = path.read_text("utf-8")
    first, middle, last = re.split(r'(?s)(?<=id="data">)(.*?)(?=</script>)', text, maxsplit=1)
    data = json.loads(middle)
    data["settings"]["protocol"]["runs"] = "2"
    slug = data["methods"][1]["slug"]
    names = [f"linear[some_long_parameter={index}]" for index in range(13)]
    for scene in data["scenes"]:
        scene["cubes"] += [{**scene["cubes"][2], "name": name, "style": 2 + k} for k, name in enumerate(names)]
    for row in data["table"]:
        if row["slug"] == slug:
            row["numbers"]["gfc"] = ["inf", None]
    data["scores"][0]["scores"][slug]["gfc"] = "inf"
    part = data["comparisons"]["fold 0"]
    part["rmse"] |= {"decidable": True, "standing": {slug: "best", data["methods"][0]["slug"]: "tied"}}
    part["gfc"] |= {"decidable": False, "left_out": {"other": "it has no such number"}}
    part["rmse"]["differences"][0]["tied"] = True
    facts = list(data["settings"]["scenes"].values())
    for index, fact in enumerate(facts):
        fact["valid_pixels"] = 10 ** (len(facts) - index)
    made = path.with_name("made-up.html")
    made.write_text(first + json.dumps(data) + last, "utf-8")
    return made


def cells(page, table, column):
    rows = page.locator(f"{table} tbody tr").all()
    return [row.locator("th, td").nth(column).inner_text() for row in rows]


def test_the_table_marks_what_is_known_and_says_what_the_marks_are(browser, made_up):
    with opened(browser, made_up) as page:
        assert page.locator("#results .tied").count() == 0  # of `weighted` nothing is decidable
        assert "Too few test scenes" in page.locator("#marks").inner_text()
        assert set(cells(page, "#against", 5)) == {"undecided"}
        page.get_by_label("Part").select_option("fold 0")
        assert page.locator("#results .tied").count() == 1
        marks = page.locator("#marks").inner_text()
        assert all(words in marks for words in ("Bold: the best", "≈: not told apart", "deviation over 2 runs", "gfc"))
        assert cells(page, "#against", 5) == ["≈ not told apart"]
        page.locator("section#table").get_by_label("Metric").select_option("gfc")
        assert cells(page, "#against", 5) == ["undecided"]
        assert "Not compared: other (it has no such number)" in page.locator("section#table").inner_text()
        heads = page.locator("#results thead th").all_inner_texts()
        column = next(index for index, text in enumerate(heads) if text.startswith("gfc"))
        assert cells(page, "#results", column)[1] == "∞"
        best = page.locator("#results .best").all_inner_texts()
        assert "∞" in best
        page.locator("section#images").get_by_label("Metric").select_option("gfc")
        assert cells(page, "#scenes", 3)[0] == "∞"
        assert "its mean over 2 runs" in page.locator("section#images").inner_text()
        page.locator("#scenes thead button").nth(3).click()
        order = cells(page, "#scenes", 3)
        assert order[0] == "∞"
        page.locator("#scenes thead button").nth(3).click()
        assert cells(page, "#scenes", 3) == order[::-1]
        page.get_by_role("button", name="Switch to").click()
        assert cells(page, "#scenes", 3) == order[::-1]  # a theme does not forget it
        page.locator("summary", has_text="Data:").click()
        page.locator("#data-table thead button", has_text="valid_pixels").click()
        heads = page.locator("#data-table thead th").all_inner_texts()
        column = next(index for index, text in enumerate(heads) if text.startswith("valid_pixels"))
        assert cells(page, "#data-table", column) == ["10", "100", "1000", "10000"]


def test_many_methods_on_a_phone(browser, made_up):
    with opened(browser, made_up, 390, 844, has_touch=True, is_mobile=True) as page:
        assert picture(page, "truth").bounding_box()["y"] < 350
        page.get_by_role("radio", name="Error").tap()
        settle(page)
        assert picture(page, "mean").count() == 1  # the truth has no error
        assert page.get_by_label("Cube").locator("option:checked").inner_text() == "mean"
        words = page.locator("#bar-words").inner_text()
        assert all(text in words for text in ("of 255 levels", "1 of 100 pixels", "mean is of the pixels here"))
        name = page.locator("#readout .legend").last
        name.scroll_into_view_if_needed()
        box = page.locator("#readout tbody tr").last.locator("td").last.bounding_box()
        assert box["x"] + box["width"] <= 390
        low = name.bounding_box()["height"]
        name.tap()
        assert name.bounding_box()["height"] > low >= 24
        assert name.locator("span").evaluate("(one) => one.scrollWidth <= one.clientWidth")
        for target in ("#results .sorter", "nav a", "#scenes .link", "summary"):
            assert page.locator(target).first.bounding_box()["height"] >= 24
        opacity = page.locator("circle.score").first.evaluate("(one) => getComputedStyle(one).fillOpacity")
        assert opacity == "1"
    with opened(browser, made_up, 1280, 600) as page:
        more = page.get_by_text("more rows")
        assert more.is_visible()
        page.locator("#readout tbody tr").last.scroll_into_view_if_needed()
        more.wait_for(state="hidden")


def test_dark_mode_follows_the_system_and_the_button(browser, results):
    def background(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    with opened(browser, results[1], color_scheme="dark") as page:
        dark = background(page)
        page.get_by_role("button", name="Switch to light").click()
        light = background(page)
        page.get_by_role("button", name="Switch to dark").click()
        assert background(page) == dark != light
    with opened(browser, results[1], color_scheme="light") as page:
        assert background(page) == light


def test_on_a_phone_a_tap_shows_the_spectra_and_nothing_is_wider_than_the_screen(browser, results, view, cubes):
    for path in (view, results[1]):
        with opened(browser, path, 390, 844, has_touch=True, is_mobile=True) as page:
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            page.get_by_role("radio", name="Side by side").tap()
            settle(page)
            assert page.evaluate("document.documentElement.scrollWidth") == 390
    with opened(browser, view, 390, 844, has_touch=True, is_mobile=True) as page:
        page.touchscreen.tap(*place(page, "truth", 12, 44))
        check_spectra(page, cubes, 12, 44)
        assert page.locator(".pin").count() == 1


def test_everything_can_be_reached_by_keyboard_with_a_visible_focus(browser, view):
    with opened(browser, view) as page:
        seen = []
        for _ in range(40):
            page.keyboard.press("Tab")
            where = page.evaluate(
                """() => { const one = document.activeElement; const style = getComputedStyle(one);
                return one === document.body ? null :
                  [one.getAttribute("data-cube") || one.id || one.textContent || one.tagName, style.outlineStyle]; }"""
            )
            if where is None:
                break
            seen.append(where)
        names = [name for name, _ in seen]
        assert {"theme", "Colour", "Side by side", "band", "truth", "guess", "Save CSV"} <= set(names)
        assert all(outline != "none" for _, outline in seen)
