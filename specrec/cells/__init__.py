"""Cells: one method, trained on one fold's scenes and tested on the others, computed anywhere; its result is one file.

Modules, from the bottom:

- `cell`, `columns` (what it can be asked for), `key` (what decides it);
- its file: `machine` (where it was computed), `record_form`, `records`;
- of one image: `region` (the pixels that count), `answers` (what a method may give), `scoring`, `ceiling`, `disturbed`
  (under conditions), `separate` (tiles), `samples` and `looks` (what is kept for figure and page, `small_hdf5`), all of
  it in `tested_images`;
- of the fitted method: `influence`, `cost`, `operations`;
- `compute` (a cell from its training to its record), `worker` (its process), `executors` (where the processes are).
"""
