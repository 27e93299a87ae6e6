# SPDX-License-Identifier: Apache-2.0
"""Self-service: a page for citizens on a second screen of the station, and the waiting room's numbers.

* `queue` - numbers: take, call, done; used by the page here and by the windows;
* `visit` - one person before the screen: card, question, and the end that leaves nothing behind;
* `requests` - what a person filled in, waiting for an officer;
* `app` - a web app of its own: other port, other cookie, other key, none of the counter's routes; `pages` - its pages.
"""
