"""Indicators the state asks for, over several domains: here the share of self-service. Only reads, owns no table."""
