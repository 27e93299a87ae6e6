# SPDX-License-Identifier: Apache-2.0
"""The station: everything an officer does at a counter, whether the line is up or not.

Read in this order:

* `station` - opens a station's folder and refuses to start on doubt; `cli` - `township-node`;
* `cases` - the verbs of a case: draft, submit, correct, withdraw, hear from the hub; `case_state` - what is shown;
* `receipts` - numbers from leased blocks; `slips` - what stands on a slip and who got which copy;
* `contacts` - phone and address as registry cells; `conflicts` - what did not go as intended; `persons`, `forms`;
* `search` - one box finds anyone; `unsent` and `status` - the truth of the bottom bar; `officers` - who may log in;
* `exchange` + `tasks` - the line to the hub and the evening's copy; `doctor` - is this station well;
* `app` - the web app; `pages/` - one module per area with its folder in `templates/`; `texts.toml` - the words.

`card/` reads social security cards; `kiosk/` is the self-service page and the waiting room; `windows` - whose reader.
"""
