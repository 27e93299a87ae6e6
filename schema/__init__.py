# SPDX-License-Identifier: Apache-2.0
"""What things are and what the law says. No network.

Read in this order:

* `errors`, `clock`, `ids`, `money`, `period`, `resident_id`, `unit_code` - the small words;
* `tables` - every table, how it travels and why; `migrations`, `database` - the one door to a file;
  `crsqlite` - the only module that knows the CRDT extension;
* `events` - the facts that officers sign and that station and hub share;
* `service` + `services/*.toml`, `field_types`, `checks`, `effects` - business items as data;
* `parameter` + `parameters/**/*.toml`, `rules/` - dated values and dated formulas, pure;
* `web/` - the frame of every page (session, login, look), the only place here that knows Flask.

Places kept free for what comes: `risk/` (one supervision rule per file), `packs` (signed rule packs).
"""
