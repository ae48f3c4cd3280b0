"""The other wires of money: Alipay, the bank's card front end, national insurance, electronic invoices.

Each module adapts one outside party to a port of `backend.billing.ports`. It decides nothing about
money: it signs, sends, checks what comes back, and says what it means in the port's words.
"""
