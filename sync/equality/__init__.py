# SPDX-License-Identifier: Apache-2.0
"""Proof that both sides hold the same: digests, the buckets that keep them, the nightly audit, incidents."""
