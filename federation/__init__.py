"""The federation protocol as a library: it decides whether a document may be believed.

No web framework, no database, no clock, no settings: ``now``, keys and a ``Transport`` are
arguments. ``PROTOCOL.md`` beside this file is the normative text.
"""
