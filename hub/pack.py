# SPDX-License-Identifier: Apache-2.0
"""The rule pack in force at the hub: service items and parameters, read once per process."""

from __future__ import annotations

from functools import cache

from schema import parameter, service
from schema.errors import UnknownSubject
from schema.parameter import Parameters
from schema.service import Service


@cache
def services() -> dict[str, Service]:
    """All service items by id. Raises BadServiceFile."""
    return service.load_all()


@cache
def parameters() -> Parameters:
    """All dated parameters. Raises BadParameterFile."""
    return parameter.load()


@cache
def pack_hash() -> str:
    """The hash over all of them: which rules a station used when it took a case."""
    return service.pack_hash()


def service_named(service_id: str) -> Service:
    """The service item of that id. Raises UnknownSubject."""
    found = services().get(service_id)
    if found is None:
        raise UnknownSubject(f"中心没有这个事项：{service_id}", f"no such service item at the hub: {service_id}")
    return found
