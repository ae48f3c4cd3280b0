"""The program on each kiosk: touch screen, device manager, flows, journal and backend client.

It owns what a patient sees and touches at one kiosk. It never decides about money, slots or
queues: the backend does, over the kiosk API, and this package never imports it.
"""
