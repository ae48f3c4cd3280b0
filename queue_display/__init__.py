"""Queue-calling screens: their pages, live stream and spoken calls, mounted into the web process."""
