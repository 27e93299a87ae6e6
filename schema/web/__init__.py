# SPDX-License-Identifier: Apache-2.0
"""The frame of every page, at the station and at the hub: session, login, CSRF, headers, errors, macros, look.

The only place in `schema` that knows Flask, and with no page of its own except login, password and error.
Read in this order:

* `texts` + `texts.toml` - both languages side by side; `formats` - how figures, dates and numbers are shown;
* `frame` - what `init_app` lays around an app: headers, CSRF, limits, language, error pages;
* `keyring`, `door`, `auth` - unlocked signing keys in memory, who may come in, sessions and roles;
* `templates/web/` - `base.html`, `print.html` and the macros every page calls; pages write no colour;
* `static/` - `tokens.css` (values), `app.css` and `forms.css` (components), `layouts.css` (page grids), `paper.css`
  (slips and notices), `print.css` (reports), `app.js` (keys). Bootstrap and htmx are put in `static/vendor/` by the
  set-up; nothing comes from the net.
"""
