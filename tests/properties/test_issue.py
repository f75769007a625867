"""What we issue, we accept; what we would refuse, we do not issue."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delegant.credentials import Authorization, Error, Link, issue_link
from properties.story import FORMS
from world import DRAFTS, PAPERS, Party, World


@FORMS
@pytest.mark.parametrize("method", ["key", "jwk"])
@settings(max_examples=12)
@given(data=st.data())
def test_whatever_is_issued_verifies(form: str, method: str, data: Any) -> None:
    depth = data.draw(st.integers(1, 8))
    world = World(method=method, form=form)  # type: ignore[arg-type]
    ana = world.human("ana")
    holder: Party = ana
    links: list[Link] = []
    allow = [f"db.read {PAPERS}", f"doc.write {DRAFTS}"]
    rows, seconds = 1000, 1800
    for index in range(depth):
        agent = world.agent(f"agent-{index}", ana)
        if len(allow) > 1 and data.draw(st.booleans()):
            allow = allow[:1]
        rows -= data.draw(st.integers(0, 100))
        seconds -= data.draw(st.integers(0, 200))
        links.append(
            world.delegate(
                holder,
                agent,
                allow,
                above=tuple(links),
                seconds=seconds,
                remaining=depth - 1 - index,
                lease=2 ** (12 - index),
                constraints={"rows": {"max": rows}},
            )
        )
        holder = agent
    yes = world.verify(links, "db.read", "urn:acme:papers:17", rows=rows)
    assert isinstance(yes, Authorization)
    assert yes.path == tuple(p.did for p in (ana, *(world.parties[f"agent-{i}"]
                                                   for i in range(depth))))  # fmt: skip
    assert yes.effective.constraints["rows"] == rows
    with pytest.raises(Error) as refused:
        world.verify(links, "db.read", "urn:acme:papers:17", rows=rows + 1)
    assert (refused.value.code, refused.value.dimension) == ("constraint", "rows")
    with pytest.raises(Error):
        issue_link(
            holder.key,
            issuer=holder.did,
            subject=world.db.did,
            organization=world.org.did,
            grants=[{"actions": ["db.read"], "resources": [PAPERS]}],
            valid_from=world.now,
            valid_until=world.now + 30,
            above=links,
            constraints={"rows": {"max": rows + 1}},
        )
