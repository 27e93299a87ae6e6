# SPDX-License-Identifier: Apache-2.0
"""Edits that did not know of each other: found before the merge, every loser kept."""
