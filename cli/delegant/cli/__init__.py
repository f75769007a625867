"""The `delegant` command, thin."""
