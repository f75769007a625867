"""JSON Schema 2020-12, one per wire document."""
