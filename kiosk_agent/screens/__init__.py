"""What the glass shows: a state drawn as one plain document of words, facts and buttons. Pure."""
