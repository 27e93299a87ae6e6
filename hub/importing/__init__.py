# SPDX-License-Identifier: Apache-2.0
"""A register from elsewhere, taken in row by row: what is good goes in, what is not comes back with its reasons.

Read in this order (files become lines in `schema.sheets`):

* `headings` - which column means what (`headings.toml`);
* `rows` - one line parsed and judged, all findings at once;
* `comparing` - the line beside the register: new, changed, unchanged;
* `register` - preview and apply; `refused` - the file of refused lines, ready to be mended and fed again;
* `cli` and hub/pages/importing.py - how an officer drives it.
"""
