# SPDX-License-Identifier: Apache-2.0
"""What both sides read and write on the line: frames, their columns, signatures, receipts, words.
Nothing is believed unchecked."""
