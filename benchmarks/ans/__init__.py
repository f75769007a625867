"""The naming service beside nginx, measured: ``python -m benchmarks.ans``.

The server is the real `delegant serve`, and what it is compared with serves the very bytes that it
answered, on the same core, in the same run, in turn.
"""
