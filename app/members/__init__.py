"""Lists of members: read from a file, compared with the directory, taken in, written out.

A list says who coworks here; it never says on its own who may see them. Nobody becomes more
visible through anything in this package unless the operator says ``publish``.
"""
