# SPDX-License-Identifier: Apache-2.0
"""Exchange without a line: sealed bundles on a stick or through a neighbour, with the guarantees of a session."""
