"""The device bench: a page and a JSON API that work the simulated devices of all kiosks, on
loopback only.
"""
