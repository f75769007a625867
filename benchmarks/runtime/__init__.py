"""What acting on record costs, measured: ``python -m benchmarks.runtime``.

The log, its ledger and the acts are real, and so is the disk.
"""
