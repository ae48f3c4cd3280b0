"""Word files of the kiosk: one JSON object a language, key → words with {facts}."""
