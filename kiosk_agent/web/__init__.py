"""The touch screen's server on loopback: one page, the screen as JSON and HTML, touches."""
