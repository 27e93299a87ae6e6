# SPDX-License-Identifier: Apache-2.0
"""What the law computes: dated, pure functions that name their law and leave a trace.

A change in law is a second function under the same rule name with a later `since`; the old one stays, because closed
months are recomputed by it.
"""
