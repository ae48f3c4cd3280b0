"""The bank's front end (收单前置): ISO 8583 over TCP, terminals that sign on, cards that behave as chosen.

Written from ISO 8583:1987 and the field use of bank-card POS terminals in China, with a codec of its
own; it shares the sandbox's store, clock and faults and nothing else.
"""
