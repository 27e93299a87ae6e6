# SPDX-License-Identifier: Apache-2.0
"""Runs inside Kolibri's own shell: makes persons, edits some, or prints one. Settings come from the environment."""

import json
import os

from django.db import transaction
from kolibri.core.auth.models import Facility, FacilityUser

ASKED = json.loads(os.environ["BENCH_ASKED"])
facility = Facility.objects.get()

with transaction.atomic():
    for n in range(*ASKED.get("make", (0, 0))):
        FacilityUser(
            username=f"p{n:06d}", full_name=f"测试 {n}", facility=facility, password="NOT_SPECIFIED", birth_year="1960",
            gender="FEMALE" if n % 2 else "MALE", id_number=f"3306831960010{n:05d}",
        ).save()  # fmt: skip
    for n in range(*ASKED.get("edit", (0, 0))):
        user = FacilityUser.objects.get(username=f"p{n:06d}")
        user.full_name = ASKED["name"]
        user.save()
    for n, fields in ASKED.get("set", {}).items():
        user = FacilityUser.objects.get(username=f"p{int(n):06d}")
        for name, value in fields.items():
            setattr(user, name, value)
        user.save()

shown = {
    n: {"full_name": user.full_name, "birth_year": user.birth_year}
    for n in ASKED.get("show", [])
    for user in FacilityUser.objects.filter(username=f"p{n:06d}")
}
answer = {"facility": facility.id, "count": FacilityUser.objects.count(), "shown": shown}
print("BENCH " + json.dumps(answer))
