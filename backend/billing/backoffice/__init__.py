"""Billing in the back office: the price list, and money that a person has to look after."""
