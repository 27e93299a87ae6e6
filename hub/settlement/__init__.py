# SPDX-License-Identifier: Apache-2.0
"""The month of the resident pension: receipts in, accounts credited, pensions out, books balanced, signed by four.

Read in this order:

* `month` - which month is open, what its states are, its steps;
* `receipts`, `matching` - money that arrived, and whose it is;
* `inputs` -> `kernel` - the register frozen as columns, and what the month does to each person (pure, whole fen);
* `controls` - the totals that must agree on both sides, or nothing is written;
* `computing` - one run: freeze, compute, check, write, sign;
* `signing`, `payout` - approve, pay, close by three other officers, and what paying does to the register;
* `explain`, `views`, `cli` - how it is read and driven.

All schemes of the county in one run: `county`. Scope here: steps 0, 6, 7, 9-13, 15-17 of the 18. Changes of basic
pensions, interest, bank results and late work are not in it.
"""
