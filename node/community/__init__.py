# SPDX-License-Identifier: Apache-2.0
"""The station's community work: jobs, training, visits, complaints, policy library."""
