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
	mkdocs build --strict

speed:
	OMP_NUM_THREADS=1 python benchmarks/speed/network.py
	OMP_NUM_THREADS=1 python benchmarks/speed/crops.py

bench:
	specrec bench --methods gan,arad,pixel
