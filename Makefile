.PHONY: check fix test docs bench speed

check:
	ruff check .
	ruff format --check .
	mypy

fix:
	ruff check --fix .
	ruff format .

test:
	python -m pytest

docs:
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

speed:
	OMP_NUM_THREADS=1 python benchmarks/speed/network.py
	OMP_NUM_THREADS=1 python benchmarks/speed/crops.py
	OMP_NUM_THREADS=1 python benchmarks/speed/omp.py
	OMP_NUM_THREADS=1 python benchmarks/speed/metrics.py
	OMP_NUM_THREADS=1 python benchmarks/speed/rendering.py
	OMP_NUM_THREADS=1 python benchmarks/speed/per_pixel.py

bench:
	specrec bench --methods gan,arad,pixel
