"""The VC-API of a running house, and credentials to ask it for."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from delegant.credentials.codec import JsonObject
from resolver.door import House, Reply

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"


def plain(**changes: Any) -> JsonObject:
    """A credential as anybody may want one; None leaves a member out."""
    value: JsonObject = {
        "@context": [V2, EXAMPLES],
        "id": f"urn:uuid:{uuid.uuid4()}",
        "type": ["VerifiableCredential", "ExampleDegreeCredential"],
        "validFrom": "2024-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:student",
            "degree": {"type": "ExampleBachelorDegree", "name": "Bachelor of Science"},
        },
    }
    return {name: member for name, member in (value | changes).items() if member is not None}


def shown(*credentials: JsonObject, **changes: Any) -> JsonObject:
    """A presentation of credentials."""
    value: JsonObject = {"@context": [V2], "type": ["VerifiablePresentation"]}
    if credentials:
        value["verifiableCredential"] = list(credentials)
    return value | changes


@dataclass
class Api:
    """Posts JSON, and takes what comes back."""

    house: House
    token: str = ""

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        """One request."""
        raw = body if type(body) is bytes else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} | headers
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        return self.house.call("POST", path, raw, given)

    def issue(self, credential: JsonObject, where: str = "", **options: Any) -> JsonObject:
        """A credential that is issued, as it must be."""
        reply = self.post(
            f"{where}/credentials/issue", {"credential": credential, "options": options}
        )
        assert reply.status == 201, reply.body
        issued: JsonObject = reply.json["verifiableCredential"]
        return issued

    def refused(self, credential: Any, where: str = "", **options: Any) -> tuple[int, str]:
        """Status and code of a credential that is not issued."""
        reply = self.post(
            f"{where}/credentials/issue", {"credential": credential, "options": options}
        )
        return reply.status, reply.json.get("code", "")

    def verify(self, credential: Any, **options: Any) -> tuple[int, JsonObject]:
        """Status and verdict."""
        reply = self.post(
            "/credentials/verify", {"verifiableCredential": credential, "options": options}
        )
        return reply.status, reply.json

    def codes(self, credential: Any, **options: Any) -> list[str]:
        """The codes a credential is not verified for; none where it is."""
        status, told = self.verify(credential, **options)
        assert told["verified"] is (status == 200), told
        assert (status == 200) is (told.get("errors", []) == []) or status == 400
        return [one["code"] for one in told["problemDetails"] if one not in told["warnings"]]

    def status(self, name: str, value: bool, purpose: str = "revocation") -> Reply:
        """Revoke, suspend, resume."""
        entry = {"type": "BitstringStatusListEntry", "statusPurpose": purpose}
        return self.post(
            "/credentials/status",
            {"credentialId": name, "credentialStatus": entry, "status": value},
        )
