"""Clinical: encounters with their notes, diagnoses and orders, and the catalogues doctors order from.

Owns what was found and what was ordered. Orders raise charges through billing; it never calls patients and
never takes money.
"""
