"""The `delegant` command, thin: it parses what people type, calls the rooms, and prints.

It never holds a rule of its own. Exit status: 0 accepted, 1 rejected, 2 wrong command line,
3 undecided, 4 malformed, 5 unavailable.
"""
