"""The province's platform of electronic fiscal bills (医疗电子票据): issue, find, write off (冲红), show.

Written from the envelope such platforms use (appid, data, noise, sign); it shares the sandbox's store,
clock and faults and nothing else.
"""
