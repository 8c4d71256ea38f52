"""Put measured results into README.md: python docs/make_readme_parts.py RESULTS WEIGHTS_TABLE.

RESULTS is the folder of README's first command, WEIGHTS_TABLE what benchmarks/weights/evaluate.py printed. The figure
is made smaller: 256 colours at 1200 pixels width.
"""

import re
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
WIDTH = 1200


def put(text: str, mark: str, part: str) -> str:
    """Replace what stands between the two comments of a mark."""
    pattern = rf"(<!-- {mark} -->\n).*?(<!-- end of {mark} -->)"
    return re.sub(pattern, lambda match: f"{match[1]}\n{part.strip()}\n\n{match[2]}", text, flags=re.DOTALL)


def main(results: Path, weights: Path) -> None:
    """Write README.md and docs/figure.png."""
    readme = ROOT / "README.md"
    text = put(readme.read_text("utf-8"), "table", (results / "table.md").read_text("utf-8"))
    readme.write_text(put(text, "weights", weights.read_text("utf-8")), "utf-8")
    picture = Image.open(results / "figure.png").convert("RGB")
    smaller = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    smaller.quantize(256, dither=Image.Dither.NONE).save(ROOT / "docs" / "figure.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
