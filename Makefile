.PHONY: check fix test docs bench

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

bench:
	specrec bench --methods gan,arad,pixel
