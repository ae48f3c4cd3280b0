"""The kiosk's devices: one thread each, drivers opened by address, events to the flows.

A device that is unplugged, or comes up later than the kiosk, is tried again with growing pauses;
the rest of the kiosk goes on without it.
"""
