"""Figures: each prepares the table that it plots, then draws from that table.

`catalogue` lists them, `stages` reads files, draws and writes. `style` and `sheet` hold the look,
`plotted` the table's form, `panels` what several figures share, `rasters` the maths of pictures,
`sources` and `factor_sources` the reading, `save` the writing; `example_patches` and
`network_shapes` serve the first two figures. The other modules are one figure each.
"""
