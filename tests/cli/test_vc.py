"""`delegant vc`: any credential, from files, as a person and as a conformance suite call it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from delegant.cli.vcfiles import read_key
from delegant.credentials.codec import b58_encode, b64u_encode
from delegant.w3c import status, tokens
from delegant.w3c.keys import KINDS
from w3cworld import EXAMPLES, ISSUER, V2, credential, issued, presentation, someone

from .conftest import T0, Shell

KINDS_OF_KEY = ["Ed25519", "P-256", "P-384", "P-521"]
AT = "https://example.org/schema.json"


def write(path: Path, value: Any) -> str:
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(path)


@pytest.fixture
def key(shell: Shell) -> dict[str, Any]:
    """A P-256 key in `key.json`, and a credential by it in `vc.json`."""
    shell.ok("vc", "key", "--kind", "P-256", "-o", "key.json")
    made: dict[str, Any] = json.loads(Path("key.json").read_text())
    document = credential(
        issuer=made["controller"],
        context=[V2, EXAMPLES],
        credentialSubject={"id": "did:example:ana", "name": "Ana", "phones": ["1", "2"]},
    )
    write(Path("vc.json"), document)
    return made


@pytest.mark.parametrize("kind", KINDS_OF_KEY)
def test_a_key_is_made_for_its_owner_alone(shell: Shell, kind: str) -> None:
    told = shell.json("vc", "key", "--kind", kind, "-o", "key.json")
    assert stat.S_IMODE(Path("key.json").stat().st_mode) == 0o600
    made = json.loads(Path("key.json").read_text())
    assert told["did"] == made["controller"]
    assert "d" not in made["publicKeyJwk"]
    assert made["secretKeyJwk"]["d"] not in "".join(shell.said)
    assert shell("vc", "key", "-o", "key.json").exit_code == 1  # never over another


@pytest.mark.parametrize("form", ["di", "jwt", "sd-jwt"])
def test_what_is_issued_verifies(shell: Shell, key: dict[str, Any], form: str) -> None:
    shell.ok("vc", "issue", "-i", "vc.json", "--key", "key.json", "--form", form, "-o", "out")
    assert shell.ok("vc", "verify", "out").startswith("verified\n")
    report = shell.json("vc", "verify", "out")
    assert report["verified"]
    assert report["document"] == json.loads(Path("vc.json").read_text())
    assert report["proofs"][0]["controller"] == key["controller"]
    printed = shell.ok("vc", "issue", "-i", "vc.json", "--key", "key.json", "--form", form)
    write(Path("printed"), printed)
    assert shell("vc", "verify", "printed").exit_code == 0


@pytest.mark.parametrize("suite", ["ecdsa-rdfc-2019", "ecdsa-jcs-2019"])
def test_the_cryptosuite_is_chosen(shell: Shell, key: dict[str, Any], suite: str) -> None:
    assert key["type"] == "JsonWebKey"
    made = shell.json("vc", "issue", "-i", "vc.json", "--key", "key.json", "--suite", suite)
    assert made["proof"]["cryptosuite"] == suite
    refused = shell(
        "vc", "issue", "-i", "vc.json", "--key", "key.json", "--suite", "eddsa-jcs-2022"
    )
    assert refused.exit_code == 3


@pytest.mark.usefixtures("key")
def test_the_exit_status_tells_the_kind_of_no(shell: Shell) -> None:
    shell.ok("vc", "issue", "-i", "vc.json", "--key", "key.json", "-o", "good.json")
    good = json.loads(Path("good.json").read_text())
    write(Path("bad.json"), {**good, "id": "urn:a:b"})
    write(Path("strange.json"), {**good, "issuer": 5})
    write(Path("torn.json"), "{")
    for file, state in (("good", 0), ("bad", 1), ("strange", 4), ("torn", 4), ("absent", 1)):
        assert shell("vc", "verify", f"{file}.json").exit_code == state, file
    assert "error: proof" in shell("vc", "verify", "bad.json").output
    assert shell("vc", "verify").exit_code == 4
    report = shell.json("vc", "verify", "bad.json", status=1)
    assert not report["verified"]
    assert "document" not in report
    assert report["errors"][0]["code"] == "proof"


def test_the_instant_can_be_given(shell: Shell) -> None:
    made = issued(credential(validFrom="2026-09-21T14:13:20Z", validUntil="2026-09-22T00:00:00Z"))
    write(Path("vc.json"), made)
    assert shell("vc", "verify", "vc.json").exit_code == 0
    shell.now = T0 + 99_999
    assert shell("vc", "verify", "vc.json").exit_code == 1
    assert shell("vc", "verify", "vc.json", "--at", "2026-09-21T20:00:00Z").exit_code == 0
    told = shell.ok("vc", "verify", "vc.json", "--lax")
    assert "warning: expired" in told
    assert shell("vc", "verify", "vc.json", "--at", "tomorrow").exit_code == 4


def test_a_context_inside_is_allowed_by_its_file(shell: Shell) -> None:
    own = {"lent": "https://example.org/#lent"}
    subject = {"id": "did:example:subject", "lent": "5"}
    made = issued(credential(context=[V2, own], credentialSubject=subject), suite="eddsa-rdfc-2022")
    write(Path("vc.json"), made)
    write(Path("own.json"), own)
    write(Path("document.json"), {"@context": [own, "https://example.org/any"]})
    write(Path("other.json"), {"lent": "https://example.org/#owed"})
    assert "error: context-inline" in shell("vc", "verify", "vc.json").output
    assert shell("vc", "verify", "vc.json").exit_code == 3
    for file, state in (("own", 0), ("document", 0), ("other", 3)):
        found = shell("vc", "verify", "vc.json", "--allow-context", f"{file}.json")
        assert found.exit_code == state, file
    both = ("--allow-context", "other.json", "--allow-context", "own.json")
    assert shell("vc", "verify", "vc.json", *both).exit_code == 0
    assert "warning: context-inline" in shell.ok("vc", "verify", "vc.json", "--lax")


def test_what_was_fetched_is_given_by_url(shell: Shell) -> None:
    at = "https://example.org/status/1"
    bits = bytearray(status.MIN_BITS // 8)
    listed = {}
    for name in ("none", "seven"):
        document = status.document(at, ISSUER.did, bytes(bits), purposes=["revocation"],
                                   valid_from=T0 - 60)  # fmt: skip
        status.put(bits, 7, True)
        listed[name] = write(Path(f"{name}.json"), _signed(document))
    made = issued(
        credential(
            credentialStatus=status.entry(at, 7, "revocation"),
            credentialSchema={"id": AT, "type": "JsonSchema"},
            relatedResource={
                "id": "https://example.org/terms",
                "digestSRI": "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
            },
        )
    )
    write(Path("vc.json"), made)
    write(Path("schema.json"), {"required": ["issuer"]})
    write(Path("terms.txt"), "hello")
    all_given = ["vc", "verify", "vc.json", "--schema", f"{AT}=schema.json", "--resource",
                 "https://example.org/terms=terms.txt"]  # fmt: skip
    assert shell(*all_given, "--status-list", listed["none"]).exit_code == 0
    assert shell(*all_given, "--status-list", f"{at}={listed['none']}").exit_code == 0
    assert shell(*all_given, "--status-list", listed["seven"]).exit_code == 1
    assert shell(*all_given).exit_code == 3
    assert shell("vc", "verify", "vc.json", "--status-list", listed["none"]).exit_code == 3
    assert shell("vc", "verify", "vc.json", "--schema", "schema.json").exit_code == 4


def _signed(document: dict[str, Any]) -> Any:
    from delegant.w3c import proofs

    return proofs.sign(document, ISSUER.signer, suite="eddsa-jcs-2022", method=ISSUER.method)


def test_a_did_document_is_given_as_a_file(shell: Shell) -> None:
    name = "did:web:issuer.example"
    by = ISSUER.signer
    method = {"id": f"{name}#k", "type": "Multikey", "controller": name,
              "publicKeyMultibase": by.public.multikey}  # fmt: skip
    write(Path("did.json"), {"id": name, "verificationMethod": [method], "assertionMethod": ["#k"]})
    write(Path("key.json"), {"id": f"{name}#k", "publicKeyMultibase": by.public.multikey,
                             "secretKeyMultibase": _multikey_secret(by)})  # fmt: skip
    Path("key.json").chmod(0o600)
    write(Path("vc.json"), credential(issuer=name))
    shell.ok("vc", "issue", "-i", "vc.json", "--key", "key.json", "--form", "jwt", "-o", "out")
    assert shell("vc", "verify", "out", "--resolve-from", "did.json").exit_code == 0
    assert shell("vc", "verify", "out").exit_code == 3
    assert shell("vc", "verify", "out", "--key", "key.json").exit_code == 0


def _multikey_secret(by: Any) -> str:
    return "z" + b58_encode(KINDS["Ed25519"].secret + by.export_secret())


def test_an_sd_jwt_is_shown_in_part_by_its_holder(shell: Shell, key: dict[str, Any]) -> None:
    shell.ok("vc", "key", "-o", "holder.json")
    shell.many(
        [
            "vc issue -i vc.json --key key.json --form sd-jwt --holder-key holder.json "
            "--sd credentialSubject.name --sd credentialSubject.phones[0] -o whole",
            "vc disclose -i whole --sd credentialSubject.phones[0] --key holder.json "
            "--audience https://v.example --nonce n-1 -o part",
        ]
    )
    report = shell.json(
        "vc", "verify", "part", "--challenge", "n-1", "--domain", "https://v.example"
    )
    assert report["document"]["credentialSubject"] == {"id": "did:example:ana",
                                                       "phones": ["1", "2"]}  # fmt: skip
    assert report["proofs"][0]["bound"]
    assert report["proofs"][0]["controller"] == key["controller"]
    assert "1 parts or decoys were not disclosed" in shell.ok("vc", "verify", "part")
    assert shell("vc", "verify", "part", "--challenge", "n-2").exit_code == 1
    assert shell("vc", "verify", "whole", "--challenge", "n-1").exit_code == 1
    assert shell("vc", "disclose", "-i", "whole", "--sd", "issuer").exit_code == 1


def test_a_presentation_is_signed_and_verified(shell: Shell, key: dict[str, Any]) -> None:
    vp = presentation(issued(), holder=key["controller"])
    write(Path("vp.json"), vp)
    shell.ok("vc", "issue", "-i", "vp.json", "--key", "key.json", "--challenge", "c-1",
             "--domain", "v.example", "-o", "out.json")  # fmt: skip
    ask = ["--challenge", "c-1", "--domain", "v.example"]
    assert shell("vc", "verify", "out.json", *ask).exit_code == 0
    assert shell("vc", "verify", "out.json", "--challenge", "c-2").exit_code == 1
    assert shell("vc", "verify", "vp.json").exit_code == 1
    assert shell("vc", "verify", "vp.json", "--unsigned").exit_code == 0


@pytest.mark.usefixtures("key")
def test_a_key_file_that_others_can_read_is_refused(shell: Shell) -> None:
    Path("key.json").chmod(0o644)
    assert shell("vc", "issue", "-i", "vc.json", "--key", "key.json").exit_code == 1
    Path("key.json").chmod(0o600)
    assert shell("vc", "issue", "-i", "vc.json", "--key", "key.json").exit_code == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made["secretKeyJwk"] | {"d": b64u_encode(bytes(31) + b"\x05")},
        lambda made: {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        lambda made: {"hello": 1},
        lambda made: made["publicKeyJwk"],
    ],
)
def test_a_key_file_that_is_none_is_refused(shell: Shell, key: dict[str, Any], change: Any) -> None:
    write(Path("key.json"), change(key))
    Path("key.json").chmod(0o600)
    assert shell("vc", "issue", "-i", "vc.json", "--key", "key.json").exit_code in (1, 3, 4)


# --- as the public JOSE suite calls it -----------------------------------------------------

SUITE = "https://example.issuer/vc-jose-cose"
THEIRS = {
    "@context": [V2, EXAMPLES],
    "id": "http://university.example/credentials/1872",
    "type": ["VerifiableCredential", "ExampleAlumniCredential"],
    "issuer": SUITE,
    "validFrom": "2010-01-01T19:23:24Z",
    "credentialSchema": {"id": "https://example.org/examples/degree.json", "type": "JsonSchema"},
    "credentialSubject": {
        "id": "did:example:123",
        "degree": {"type": "BachelorDegree", "name": "Bachelor of Science and Arts"},
        "phoneNumbers": [{"number": "1", "type": "work"}, {"number": "2", "type": "mobile"}],
    },
}


@pytest.fixture(params=KINDS_OF_KEY)
def suite_key(request: Any, shell: Shell) -> str:
    """A key as the suite has them: a verification method of an issuer that is no DID."""
    by = someone(request.param).signer
    jwk = by.public.jwk
    secret = {**jwk, "d": b64u_encode(by.export_secret()), "kid": by.public.thumbprint}
    return write(
        shell.folder / "vm.json",
        {
            "id": "https://example.issuer/6c42#key-1",
            "type": "JsonWebKey",
            "controller": "https://example.issuer/6c42",
            "publicKeyJwk": {**jwk, "kid": by.public.thumbprint},
            "secretKeyJwk": secret,
        },
    )


def run(shell: Shell, what: str, file: str, key: str, feature: str, *more: str) -> dict[str, Any]:
    """What the suite reads from the output."""
    out = shell.folder / "out.json"
    out.unlink(missing_ok=True)
    code = shell("vc", what, "--input", file, "--key", key, "--feature", feature,
                 "--output", str(out), *more).exit_code  # fmt: skip
    found: dict[str, Any] = json.loads(out.read_text())
    assert (code == 0) is (found["result"] == "success")
    return found


def test_credentials_of_the_suite_are_issued_and_verified(shell: Shell, suite_key: str) -> None:
    vc = write(Path("vc.json"), THEIRS)
    for feature, more in (
        ("credential_jose", ()),
        ("credential_sdjwt", ("--sd", '["credentialSubject.degree.name", '
                                      '"credentialSubject.phoneNumbers[0]"]')),
    ):  # fmt: skip
        made = run(shell, "issue", vc, suite_key, feature, *more)
        assert made["result"] == "success"
        token = write(Path("token.txt"), made["data"] + "\n")
        assert run(shell, "verify", token, suite_key, feature)["result"] == "success"
        other = "credential_sdjwt" if feature == "credential_jose" else "credential_jose"
        assert run(shell, "verify", token, suite_key, other)["result"] == "failure"
        torn = write(Path("torn.txt"), made["data"].replace(".", ".A", 1))
        assert run(shell, "verify", torn, suite_key, feature)["result"] == "failure"
        presented = feature.replace("credential", "presentation")
        assert run(shell, "verify", token, suite_key, presented)["result"] == "failure"
    assert run(shell, "verify", vc, suite_key, "credential_jose")["result"] == "failure"


def test_presentations_of_the_suite_are_issued_and_verified(shell: Shell, suite_key: str) -> None:
    envelope = {"@context": V2, "type": "EnvelopedVerifiableCredential"}
    vp = presentation(
        {**envelope, "id": "data:application/vc+jwt,yJraWQi.eyJA.B5Nb-yK"},
        {**envelope, "id": "data:application/vc+sd-jwt,eyJr.eyJf.Fvrs ~WyJK~"},
        {**envelope, "id": "data:application/vc+cose;base64,0oRYV6Q+/\n"},
        context=[V2, EXAMPLES],
        holder=SUITE,
    )
    file = write(Path("vp.json"), vp)
    for feature, more in (
        ("presentation_jose", ()),
        ("presentation_sdjwt", ("--sd", "holder,verifiableCredential[0]")),
    ):
        made = run(shell, "issue", file, suite_key, feature, *more)
        token = write(Path("token.txt"), made["data"])
        assert run(shell, "verify", token, suite_key, feature)["result"] == "success"
    for bad in ({**envelope, "id": "not-a-credential"}, {**envelope, "type": "Other"}, THEIRS):
        file = write(Path("bad.json"), {**vp, "verifiableCredential": [bad]})
        assert run(shell, "issue", file, suite_key, "presentation_jose")["result"] == "failure"


def test_what_nobody_defined_is_not_issued_for_the_suite(shell: Shell, suite_key: str) -> None:
    bad = write(Path("bad.json"), {**THEIRS, "badExtension": {"huh": "what?"}})
    assert run(shell, "issue", bad, suite_key, "credential_jose")["result"] == "failure"
    context = [V2, {"goodExtension": "https://example.org/#good"}]
    fine = write(Path("fine.json"), {**credential(issuer=SUITE, context=context),
                                     "goodExtension": "x"})  # fmt: skip
    assert run(shell, "issue", fine, suite_key, "credential_jose")["result"] == "success"


def test_what_nobody_defined_does_not_verify_for_the_suite(shell: Shell, suite_key: str) -> None:
    secret = read_key(Path(suite_key))
    header = {"typ": "vc+jwt", "cty": "vc", "kid": secret.method}
    for more, result in (({}, "success"), ({"badExtension": {"huh": "what?"}}, "failure")):
        token = tokens.compact({**THEIRS, **more}, secret.signer(), header)
        file = write(Path("token.txt"), token)
        assert run(shell, "verify", file, suite_key, "credential_jose")["result"] == result


def test_a_feature_that_is_not_done_is_said_to_be(shell: Shell, suite_key: str) -> None:
    vc = write(Path("vc.json"), THEIRS)
    for what in ("issue", "verify"):
        assert run(shell, what, vc, suite_key, "credential_cose")["result"] == "indeterminate"
