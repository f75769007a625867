"""The steps from one layout of a registry's tables to the next; Alembic takes them.

A new step is a file in `versions` that names the one before, and `layouts.HEAD` with
`tables.LAYOUT_VERSION` are raised with it.
"""
