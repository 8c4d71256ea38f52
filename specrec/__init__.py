"""Spectral reconstruction from RGB: interfaces, a benchmark, and baselines that run as plugins."""
