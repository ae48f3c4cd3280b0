"""A receipt printer on TCP that understands ESC/POS and shows its paper as pictures."""
