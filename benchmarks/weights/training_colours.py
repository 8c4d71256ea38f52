"""Write into shipped weights which colours they were trained on: python benchmarks/weights/training_colours.py.

The 1200 scenes of the recipe are made, or taken from the cache folder, and looked at once: about a minute each on one
core. Weights of another recipe (`arad`) and of methods that learn nothing are left as they are. The arrays of a file
stay the same bit for bit.
"""

import json
from pathlib import Path

import numpy as np
from recipes import TRAINING
from safetensors import safe_open
from safetensors.numpy import save_file

from specrec.cache import written_whole
from specrec.datasets import open_source
from specrec.reconstruction.training_colours import colours_of
from specrec.scenes import TrainingScene

PLUGINS = Path(__file__).parents[2] / "plugins"


def main() -> None:
    source = open_source(TRAINING)
    names = source.names()
    source.prepare(names)
    entry = colours_of([TrainingScene(source.open(name), "none") for name in names]).to_card()
    for path in sorted(PLUGINS.glob("*/weights/*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata()
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        card = json.loads(metadata["card"])
        if card["dataset"] != {"name": source.name, "options": dict(source.settings)} or card["scaling"] != "none":
            print(f"{path.name}: trained on other scenes; left as it is")
            continue
        card["training_colours"] = entry
        with written_whole(path) as temporary:
            save_file(arrays, temporary, metadata={**metadata, "card": json.dumps(card)})
        with safe_open(path, framework="numpy") as file:
            same = all(np.array_equal(file.get_tensor(name), array) for name, array in arrays.items())
        print(f"{path.name}: {'written, its arrays as they were' if same else 'ITS ARRAYS HAVE CHANGED'}")


if __name__ == "__main__":
    main()
