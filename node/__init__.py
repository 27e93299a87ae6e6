# SPDX-License-Identifier: Apache-2.0
"""The station: everything an officer does at a counter, whether the line is up or not.

Read in this order:

* `station` - opens a station's folder and refuses to start on doubt; `cli` - `township-node`;
* `cases` - the verbs of a case: save a draft, submit, correct, withdraw, hear from the hub; `receipts` - numbers and slips;
* `contacts` - phone and address as registry cells; `search` - one box finds anyone; `status` - the bottom bar's truth;
* `officers` - who may log in here; `duty` + `tasks` - exchange with the hub and the nightly copy; `backup`, `doctor`;
* `app` - the web app; `pages/` - one module per area with its folder in `templates/`; `texts.toml` - the words.

Places kept free for what comes: `card_reader` (social security card), pages for units, jobs and visits.
"""
