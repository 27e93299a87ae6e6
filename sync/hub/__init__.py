# SPDX-License-Identifier: Apache-2.0
"""The hub's side: greeting, inbox, feed, slices and their members, late edits, first lives. All it
writes goes through `publish`."""
