"""Write the parts of the documentation that the program knows best: `python -m tools.docs`.

Pages in docs/ are written by hand. Between `<!-- generated: NAME -->` and `<!-- end -->` stands what is made from the
tables of the configuration, the command grammar and the renderer, so that pages and program cannot disagree.
"""
