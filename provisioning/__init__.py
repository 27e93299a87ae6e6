# SPDX-License-Identifier: Apache-2.0
"""What makes a hub, and what makes a station out of a bare PC. Gives files, never calls.

Two kinds of module live here. Those that set a machine up:

* `bootstrap` - system packages, venv, wheels, npm assets, extension; runs before anything is installed;
* `assets` + `assets.toml` - the scripts and styles pages need, fetched once with pinned hashes;
* `extension`, `extension_build` - the cr-sqlite library: found, fetched with a pinned hash, or built.

And those that make the network: `cli` (`township-provision`) and the modules it names.

Node and hub never import this package; what a station gets from it is a file.
"""
