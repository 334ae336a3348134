"""Measured rates of a machine; predicted latency and training time."""
