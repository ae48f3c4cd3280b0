"""The outside world on localhost: the WeChat Pay v3 platform and the payer's phone.

A separate process (`python -m backend.sandbox --port 8020 --dir DIR`), written from the published
wire format alone. It imports nothing of the hospital's own code, so that both sides of the wire
cannot share a mistake; a contract checks it.
"""
