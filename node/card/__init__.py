# SPDX-License-Identifier: Apache-2.0
"""The social security card: what lies on the reader, read without ever asking the card for more than everybody may see.

* `tlv` - records of the chip as values; `commands` - the only commands that are ever sent; `reading` - one read of one
  card; `problems` - what can go wrong and what the clerk is told;
* `drivers` - `pcsc`, `simulator`, `manual`, as the station's settings say; `pcsc` speaks to the reader service,
  `pcsc_watch` and `pcsc_read` are the processes it runs in; `simulator` is a card made of software;
* `board` - what lies on which reader now, and who waits to hear of it; `judge` - what the chip says against the
  calendar, the county, the lost list and the register.

Neither a PIN nor the bank's application nor a write can leave this folder: `commands.ALLOWED` is all there is.
"""
