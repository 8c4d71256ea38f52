"""The figures of a bench, drawn from a results folder."""
