"""Events between domains: one file a publishing domain, frozen and versioned, with ids and masked values only."""
