"""The door: the HTTP API of a home.

Registration and resolution of names, DID documents, status lists, evidence for those who may
have it, and verification for those who cannot verify themselves. Handlers take raw bytes
through the core's strict parser, call one function of the rooms, and answer; this room holds no
rules of its own. It needs the extra ``server``.
"""
