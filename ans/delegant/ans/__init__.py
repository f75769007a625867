"""The Agent Naming Service: names, signed records, a registry, and a client.

A name resolves to an agent's DID, its endpoints and who answers for it; every answer is signed
and can be checked offline (`verify_answer`). A registration needs the agent's own signature, a
chain that grants ``ans.register``, and a live human behind the agent.

This room decides who may have a name, never who may act on a resource. The registry and its
store need the extra ``server`` and are imported from `delegant.ans.registry` and
`delegant.ans.store`; names, documents and the client need nothing but the base.
"""

from .answer import Resolution, verify_answer
from .client import AsyncClient, Client, Found
from .holder import (
    consent,
    evidence_request,
    new_event,
    new_record,
    provider_claim,
    statement,
    submission,
)
from .name import AnsName
from .query import Query
from .trusted import RegistryTrust

__all__ = [
    "AnsName",
    "AsyncClient",
    "Client",
    "Found",
    "Query",
    "RegistryTrust",
    "Resolution",
    "consent",
    "evidence_request",
    "new_event",
    "new_record",
    "provider_claim",
    "statement",
    "submission",
    "verify_answer",
]
