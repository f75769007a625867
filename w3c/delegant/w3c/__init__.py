"""W3C credentials in general: the data model, its cryptosuites, JOSE, status lists and DIDs.

Beside the closed profile of `delegant.credentials`, which no chain ever leaves. This room keeps
the open world of VCDM 2.0: other people's credentials, and ours for other people. It is pure
too: no network, no clock, no state. Documents, lists, schemas and the instant are passed in.
It needs the extra ``w3c``; ``import delegant.w3c`` alone needs nothing.
"""
