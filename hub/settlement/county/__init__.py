# SPDX-License-Identifier: Apache-2.0
"""The month of the whole county, all schemes in one run: what is due, what arrived, whose it is, who is paid.

Read in this order:

* `columns` - the inputs and the results as columns of whole numbers, one name per column: the form everything else uses
* `freeze` - the register of one moment as such columns
* `insured`, `touched`, `booked`, `late_work`, `late_benefits`, `adjustments` - who is insured in which month by what is
  known now, and what that changes of months that are closed: the difference to what was booked, booked with this month
* `kernel` - `assessing`, `adjusting`, `allocating`, `paying`: what the month does, pure, whole fen
* `controls` - the totals and invariants that must hold, or nothing is written
* `merkle` - one root over all results
* `month_file` - one immutable encrypted file per run; `runs` - the one row that makes it count
* `signing`, `payout` - approved, paid, closed by three more officers; what paying does to the register
* `sql/`, `verify` - the same month as plain SQL steps, on SQLite, PostgreSQL or DuckDB: it must give the same root

`hub.settlement` beside this package settles the resident pension alone, with its four hands and its payment files.
"""
