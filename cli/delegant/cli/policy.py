"""`policy`: check, sign, show and ask the policies of a resource."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from delegant.credentials import canonical
from delegant.credentials.errors import error
from delegant.credentials.shape import format_time
from delegant.wallet import files

from .edge import Edge, command, now

__all__ = ["register"]

policy = typer.Typer(
    no_args_is_help=True, help="What a resource's owners say beside the chain, in Cedar, signed."
)

MAX_FILE = 1_048_576
Set = Annotated[Path, typer.Argument(help="The policy set.")]
Text = Annotated[Path, typer.Argument(help="Cedar (a file .cedar), or a policy set.")]
Trusted = Annotated[
    Path | None, typer.Option("--trust", help="The policy-trust: who must have signed.")
]
Declared = Annotated[
    Path | None,
    typer.Option("--facts", help="For Cedar: what the resource vouches for, and types."),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="The file; else the same.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(policy, "check")(check_)
    command(policy, "sign")(sign_)
    command(policy, "trust")(trust_)
    command(policy, "show")(show)
    command(policy, "decide")(decide)
    app.add_typer(policy, name="policy")


def check_(edge: Edge, file: Text, facts: Declared = None) -> None:
    """Hold policies to Cedar, to the schema of facts and to what annotations may say."""
    from delegant.governance.policies import check  # noqa: PLC0415 - an extra

    rules = check(_read(file, "draft", 1, facts))
    told = [f"{one.effect:8} {one.name}" for one in rules]
    edge.show(
        {"rules": [_rule(one) for one in rules]},
        "\n".join([*told, f"{len(rules)} policies hold"]),
    )


def sign_(
    edge: Edge,
    file: Text,
    by: Annotated[str, typer.Option(help="Who signs: a human of this home.")],
    name: Annotated[
        str | None, typer.Option("--id", help="For Cedar: the name of the set.")
    ] = None,
    revision: Annotated[
        int | None, typer.Option(min=1, help="For Cedar: higher than any before.")
    ] = None,
    facts: Declared = None,
    output: Output = None,
) -> None:
    """Check, and sign. Cedar becomes a set; a set gets one more signature."""
    from delegant.governance.policies import check  # noqa: PLC0415 - an extra
    from delegant.governance.policyset import sign  # noqa: PLC0415

    if _is_cedar(file):
        if name is None or revision is None or output is None:
            raise error("shape", "Cedar is signed into a set: give --id, --revision and --output")
    elif name is not None or revision is not None:
        raise error("shape", "a set has its id and revision already")
    draft = _read(file, name or "", revision or 1, facts)
    check(draft)
    home = edge.home()
    subject = home.subject(by)
    if subject.kind != "human":
        raise error("wallet-kind", f"{by} is an agent: a human answers for a policy")
    signed = sign(draft, home.open_wallet("human", subject.handle).key(), subject.did, now())
    target = output or file
    files.write(target, canonical(signed.json) + b"\n")
    who = [one.signer for one in signed.signatures]
    edge.show(
        {"file": str(target), "id": signed.id, "revision": signed.revision, "signers": who},
        f"{target}: {signed.id} {signed.revision}, signed by {', '.join(who)}",
    )


def trust_(
    edge: Edge,
    name: Annotated[str, typer.Option("--id", help="The set that the resource follows.")],
    threshold: Annotated[int, typer.Option(min=1, help="How many must sign.")],
    signer: Annotated[list[str], typer.Option(help="A human of this home; again for each.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Else stdout.")] = None,
) -> None:
    """Write the policy-trust of a resource: its set, who may sign it, how many must."""
    from delegant.governance.policyset import PolicyTrust  # noqa: PLC0415

    home = edge.home()
    keys = {}
    for one in signer:
        subject = home.subject(one)
        if subject.kind != "human":
            raise error("wallet-kind", f"{one} is an agent: a human answers for a policy")
        keys[subject.did] = subject.key.multikey
    made = PolicyTrust.from_json(
        {"version": 1, "id": name, "threshold": threshold, "signers": keys}
    )
    if output is None:
        print(json.dumps(made.json, indent=2))
        return
    files.write(output, json.dumps(made.json, indent=2).encode() + b"\n")
    edge.show({"file": str(output)}, f"{output}: {threshold} of {len(keys)} must sign {name}")


def show(edge: Edge, file: Set, trust: Trusted = None) -> None:
    """Show a set; with --trust, whether enough have signed it."""
    found = _verified(file, trust)
    signed = [
        {"signer": one.signer, "time": format_time(one.iat), "holds": one.signer in found.approved}
        for one in found.signatures
    ]
    said: dict[str, Any] = {
        "id": found.id, "revision": found.revision, "digest": found.digest,
        "signatures": signed, "approved": list(found.approved), "policies": found.policies,
    }  # fmt: skip

    def lines() -> None:
        print(f"{found.id}, revision {found.revision}, {found.digest}")
        for one in signed:
            word = "signed" if one["holds"] else "says signed"
            print(f"  {word} {one['time']} by {one['signer']}")
        print(found.policies.rstrip("\n"))
        if trust is None:
            print("nobody checked the signatures: --trust does")

    edge.show(said, lines)


def decide(
    edge: Edge,
    file: Text,
    facts: Annotated[Path, typer.Option(help="Facts as a policy is given them, JSON.")],
    trust: Trusted = None,
    declared: Annotated[
        Path | None, typer.Option(help="For Cedar: what the resource vouches for, and types.")
    ] = None,
) -> None:
    """Ask what a set says of facts: exit 0 allow or modify, 1 deny, 3 defer or step up."""
    from delegant.governance.policies import CedarPolicy  # noqa: PLC0415 - an extra

    found = _read(file, "draft", 1, declared) if _is_cedar(file) else _verified(file, trust)
    asked = CedarPolicy(found, production=trust is not None)
    given = files.read_object(facts, size=MAX_FILE)
    try:
        answer = asked.decide(given)
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise error("shape", f"{facts.name} is not as facts are: {exc}") from None
    said = {
        "effect": answer.effect,
        "policy": {"id": answer.policy[0], "version": answer.policy[1]},
        "reason": answer.reason,
        "limits": answer.limits and answer.limits.json,
        "approvers": list(answer.approvers),
    }
    told = f"{answer.effect} by {' '.join(answer.policy)}: {answer.reason}"
    edge.show(said, told)
    status = {"deny": 1, "defer": 3, "step_up": 3}.get(answer.effect, 0)
    if status:
        raise typer.Exit(status)


# --- inside -------------------------------------------------------------------------------------


def _is_cedar(file: Path) -> bool:
    return file.suffix == ".cedar"


def _bytes(file: Path) -> bytes:
    return files.read(file, size=MAX_FILE)


def _read(file: Path, name: str, revision: int, facts: Path | None) -> Any:
    """A set, or Cedar as one that nobody has signed."""
    from delegant.governance.policyset import PolicySet  # noqa: PLC0415

    if not _is_cedar(file):
        if facts is not None:
            raise error("shape", "a set declares its facts itself")
        return PolicySet.parse(_bytes(file))
    try:
        text = _bytes(file).decode()
    except UnicodeDecodeError:
        raise error("policy-format", f"{file.name} is not UTF-8") from None
    draft: dict[str, Any] = {
        "version": 1, "id": name, "revision": revision, "language": "cedar", "policies": text,
    }  # fmt: skip
    if facts is not None:
        draft["facts"] = files.read_object(facts, size=MAX_FILE)
    return PolicySet.from_json(draft)


def _verified(file: Path, trust: Path | None) -> Any:
    from delegant.governance.policyset import PolicySet, PolicyTrust  # noqa: PLC0415

    found = PolicySet.parse(_bytes(file))
    return found if trust is None else found.verified(PolicyTrust.load(trust))


def _rule(rule: Any) -> dict[str, Any]:
    return {
        "id": rule.name,
        "effect": rule.effect,
        "reason": rule.reason,
        "limits": rule.limits and rule.limits.json,
        "approvers": list(rule.approvers),
    }
