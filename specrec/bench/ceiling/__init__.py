"""The ceiling: what any function of one colour can reach, and how methods do on the pixels where that is known."""
