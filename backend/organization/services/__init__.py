"""Commands of the organization, by noun."""
