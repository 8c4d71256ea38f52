"""Scenes made on the fly from measured spectra: the data set that needs no download.

A recipe (`recipe`) is made into 12-bit counts (`scene`) from a library of measured spectra (`library`), a world of
metameric materials (`world`), a layout of objects (`layout`), their textures (`textures`) and their light (`light`).
`source` is the data set, and keeps what was made in the cache folder.
"""
