"""Agent names: records, registry, transparency log, receipts, storage, client."""
