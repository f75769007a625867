"""What an answer shows of an agent: the CSA paper's Listing 2, derived and never believed.

    {ansName, agentDid, serviceEndpoint, protocolExtensions,
     relevantVcSnippets [{type, issuer, issueDate, digestMultibase}], ansRecordSignature}

Six members computed from the record its agent signed and the freshness entry the registry signed.
The registry writes them with `listing2`, and whoever checks an answer computes them again.
"""

from __future__ import annotations

from typing import Final

from delegant.credentials.codec import JsonObject

__all__ = ["SHOWN", "endpoint_of", "listing2"]

SHOWN: Final = frozenset(
    {
        "ansName",
        "agentDid",
        "serviceEndpoint",
        "protocolExtensions",
        "relevantVcSnippets",
        "ansRecordSignature",
    }
)


def listing2(record: JsonObject, entry: JsonObject, protocol: str | None = None) -> JsonObject:
    """The six derived members of one resolved agent.

    Args:
        record: the agent's signed record, shape checked.
        entry: the freshness entry of the name, shape checked.
        protocol: the one asked for, if any.
    """
    return {
        "ansName": record["name"],
        "agentDid": record["agent"],
        "serviceEndpoint": endpoint_of(record, protocol),
        "protocolExtensions": record.get("protocolExtensions", {}),
        "relevantVcSnippets": [
            {
                "type": one["type"],
                "issuer": one["issuer"],
                "issueDate": one["issued"],
                "digestMultibase": one["digestMultibase"],
            }
            for one in entry.get("attestations", ())
        ],
        "ansRecordSignature": record["proof"]["proofValue"],
    }


def endpoint_of(record: JsonObject, protocol: str | None = None) -> str:
    """The address to call: of the protocol asked for, else of the name's own, else the first."""
    endpoints: dict[str, str] = record["endpoints"]
    for wanted in (protocol, record["name"].partition("://")[0]):
        if wanted in endpoints:
            return endpoints[wanted]
    return endpoints[min(endpoints)]
