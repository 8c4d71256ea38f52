"""Cells: one method, trained on one fold's scenes and tested on the others, computed anywhere; its result is one file.

Modules, from the bottom: `cell`; `records` (the file); `region` (the pixels that count); what is computed beside the
scores, `answers`, `scoring`, `separate`, `ceiling`, `influence`, `samples`, `looks`, `cost`, `operations`; `compute`;
`worker` (its process); `executors` (where the processes are).
"""
