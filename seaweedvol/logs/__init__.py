"""The log of the console script: lines of text or JSON, to standard error and to files, by Go's flags.

:mod:`asking` is a side library that anybody may import; the rest is for ``running``, ``tap`` and ``cli``.
"""
