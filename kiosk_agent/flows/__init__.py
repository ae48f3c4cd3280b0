"""The kiosk's flows as a pure state machine: (state, event, now) → (state, effects).

Nothing here touches a device, a clock, a file or the network, so every transition and every bad
input is a plain unit test. The engine carries effects out and turns their results into events.
"""
