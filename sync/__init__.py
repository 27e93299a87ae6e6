# SPDX-License-Identifier: Apache-2.0
"""How facts, cells and reference rows travel between station and hub ("S1"). Knows frames and slices, not pensions.

One session (`session.Session.run`), always opened by the station, cut anywhere without harm and simply run again:

1. `POST /s1/hello`: certificate, epoch, what was pushed so far; signed by the station's key. The hub answers, signed,
   with its time, the last frame it has of each channel, how far each feed goes, and a token for an hour. It may refuse:
   revoked, another epoch (rebase), frozen, too old, overloaded.
2. Push `evt` (facts), then `reg` (cells): new work becomes frames in the outbox; every frame not yet signed for is sent
   with `PUT /s1/chunk/<node>/<epoch>/<chan>/<n>`, byte-identical however often. The hub checks signature, chain and
   every item, takes all good items in one transaction, and answers with a signed receipt that lists what it refused
   and why. Only that receipt makes the station say "received".
3. Pull `evt`, `ref`, `reg` of each slice: `GET /s1/feed/<slice>` builds one signed frame from live data. The station
   applies it and moves its cursor in one transaction; the next GET is the acknowledgement.
4. When everything is sent and fetched, both sides compare a digest of each family of slices: proven equality, not
   assumed. What differs is repaired from the hub's rows and is an incident at both ends (`proof` and `repair`).

What travels how is declared in `schema.tables`; which slices a row belongs to, in `slices`. Where to look:

- `wire`: what both sides read and write: frames, columns, signatures, receipts; every byte of a peer is checked here
- `station`: `session` and its stages, the outbox, the pull, first loads, repair, pace and budget, a life begun anew
- `hub`: `server` routes to greeting, inbox, feed, difference, grant; all writes of the hub go through `publish`
- `merging`: edits that did not know of each other, found before the merge; every loser is kept
- `equality`: digests, incidents, the nightly audit; `snapshot`: first loads in one columnar file
- `courier`: the same exchange on a stick or through a neighbour
"""
