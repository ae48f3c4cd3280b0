"""Everything WeChat: here the WeChat Pay gateway, an adapter of billing's port.

The only package that imports a WeChat library. It decides nothing about money: it translates
between the platform's wire and `backend.billing.ports`.
"""
