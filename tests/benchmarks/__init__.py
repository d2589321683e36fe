"""Figures, not tests: ``make bench`` prints them for this machine, beside a Go server's where WEED_BINARY names one.

Machines differ and are noisy: only ratios within one run mean something. Rounds of the two servers take turns, the
server has one core and the client another, and every figure is the median of its rounds.
"""
