"""The insurance centre (医保核心业务区) behind the 2.0 interface: persons, visits, fees, settlements.

Written from the interface's published envelope and transaction numbers; the splitting is plausible, not
any province's. It shares the sandbox's store, clock and faults and nothing else.
"""
