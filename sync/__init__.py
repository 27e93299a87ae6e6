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
   assumed. What differs is repaired from the hub's rows and is an incident at both ends (`proof`, `repair`).

What travels how is declared in `schema.tables`; the frame is described in `frame`, its content in `codec`, the order of
checks in `validator`, conflicts in `merge`. The hub writes what stations must learn through `publish.transaction`.

Where to look (each module says on its first line whose side it is):

- on the wire: `frame`, `codec`, `signed`, `certificate`, `receipt`, `tokens`, `words`, `validator`
- a station's session: `session` and its stages `rebase_stage`, `push_stage`, `pull_stage`, `proof`; they speak through
  `conversation` and `line` (`pace`, `budget`, `left`, `backoff`, `transport*`) and work on `outbox`, `urgent`, `pull`,
  `evict`, `ranges`, `repair`, `blob`
- the hub: `server` routes to `greeting`, `inbox` (`inbox_cells`, `merge`, `conflicts`, `late`, `facts`, `parts`),
  `feed`, `snapshot*`, `difference`, `grant`, `blob_hub`; it writes through `publish`
  (`members`, `slices`, `bulk`, `fill`)
- both sides prove equality with `digest` and `buckets`, and keep `incidents`
- without a line: `box` seals, `bundle` orders, `courier_*` carry, `relay*` hand on
- lives that end: `life`, `former`, `rebase`, `journal`
"""
