"""The demo hospital: a fictional data set and pure generators of its people and their visits.

Everything here is invented. It is loaded only by ``xinglin demo`` and never by business code.
"""
