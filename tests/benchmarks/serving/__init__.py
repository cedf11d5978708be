"""Latency, throughput, swaps, drain and memory of the server, asked over its ports by other processes."""
