# SPDX-License-Identifier: Apache-2.0
"""A synthetic county: places, families, work, insurance, and the dirt of a real register.

Everything follows from three things, the number of persons, a seed and a month: the same three give the same register,
row for row. Nobody in it exists.

* `names`, `places` - who and where, read from the TOML files beside them;
* `numbers` - ID numbers, unit codes, bank accounts, phones, each with its right check digit;
* `families` - households of a village;
* `people` - persons with names, numbers, addresses, phones;
* `pension`, `economy` - units, work, insurance relations, accounts, benefits, bank accounts;
* `dirt` - what is wrong in real registers, each kind with its share;
* `register` - puts a county together village by village; `load` - writes it into a hub; `export` - as CSV.
"""
