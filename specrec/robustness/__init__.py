"""Disturbances of a test photo, one small module each: pure functions of a cube or of colours, with a seed where drawn.

`conditions` names them and `photo` makes the input of a method from one; the harness applies them to test scenes, so
that no method ever sees a test cube. Colours are linear sRGB, 1 is white, unless something else is said.
"""
