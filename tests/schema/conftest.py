# SPDX-License-Identifier: Apache-2.0
"""Property tests judge behaviour, not speed: a busy machine must not turn them red."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
