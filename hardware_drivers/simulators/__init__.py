"""What hangs at the far end of a wire on a development machine: cards, readers, paper, a scanner's
laser.

Written from the wire formats alone. Shares no code with the drivers, so that both cannot make the
same mistake, and never runs in production.
"""
