"""The same network in several runtimes: size, score, latency, throughput."""
