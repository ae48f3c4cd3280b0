"""Money: price list, charges, invoices, payments, refunds and the double-entry ledger.

Never talks to a payment platform itself: it asks through `ports.PaymentGateway`.
"""
