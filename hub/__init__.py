# SPDX-License-Identifier: Apache-2.0
"""The county hub: takes in what stations send, reviews it in four pairs of hands, settles the month, tells stations.

Read in this order:

* `context` - the opened hub: folder, secrets, store, clock;
* `cases`, `intake`, `review`, `registry` - a case from its arrival to its effect on the register;
* `officers`, `stations` - who may work here, and from where work may come;
* `settlement/`, `ledger` - the month and the books;
* `sync_api`, `app`, `pages/`, `server`, `tasks`, `cli` - how all of it is reached.
"""
