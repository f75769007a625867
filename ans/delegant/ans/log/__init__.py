"""A transparency log: RFC 6962 trees in the formats of C2SP, for entries of any kind.

`merkle` the tree and its proofs, `tiles` how it is stored and served, `note` signed notes,
`checkpoint` the signed head of a log, `tlogproof` proofs that travel alone, `witness` who
cosigns, `reading` how to read a log without believing who serves it.
"""
