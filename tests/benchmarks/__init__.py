"""Figures, not tests: ``make bench`` measures ours, beside Go's and the Rust server if the environment names them.

Machines differ and are noisy: only ratios within one run mean something, and the CPU of a request is steadier than the
rate. ``README.rst`` beside this file has the method, ``results.txt`` the last full run.
"""
