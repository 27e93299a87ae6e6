# SPDX-License-Identifier: Apache-2.0
"""First loads: all rows of a family of slices in one signed columnar file, made by the hub."""
