"""Alipay's side of the wire: the open gateway (precreate, query, close, cancel, refund) and its QR codes.

Written from Alipay's published interface alone; it shares the sandbox's store, clock, faults and
notifier with the WeChat platform and nothing else.
"""
