"""Set-up and checks of the repository itself; nothing here runs in a hospital."""
