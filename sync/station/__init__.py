# SPDX-License-Identifier: Apache-2.0
"""The station's side: a session and its stages, the outbox, the pull, first loads, repair, pace,
a life that begins anew."""
