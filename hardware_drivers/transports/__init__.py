"""The wires: serial port, TCP, PC/SC and memory. A driver is given one and never opens its own."""
