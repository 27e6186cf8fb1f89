"""Figures: each prepares the table that it plots, then draws from that table.

`style` and `sheet` hold the look, `plotted` the table's form, `rasters` the maths of pictures,
`sources` the reading of files, `panels` what several figures share, `save` the writing. The other
modules are one figure each.
"""
