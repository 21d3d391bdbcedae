"""Lets the worker act for whoever asked for a task: the message of a task says who that was."""

from typing import Any

from celery import Task
from celery.signals import before_task_publish, task_prerun

from endpoints import audit
from endpoints.audit import Who
from endpoints.models import User

HEADER = "acts_for"
# Who asks for what is done by the clock.
SCHEDULE = "schedule"


@before_task_publish.connect(dispatch_uid="audit")
def tell_who_asked(headers: dict[str, Any], **_: Any) -> None:
    who = audit.who_acts()
    user_pk = who.user.pk if who.user else None
    headers[HEADER] = [user_pk, who.name, who.key_id, who.address]


@task_prerun.connect(dispatch_uid="audit")
def act_for_who_asked(task: Task, **_: Any) -> None:
    told = getattr(task.request, HEADER, None) or [None, SCHEDULE, "", ""]
    audit.act_as(lambda: who_asked(*told))


def who_asked(user_pk: int | None, name: str, key_id: str, address: str) -> Who:
    user = User.objects.filter(pk=user_pk).first() if user_pk else None
    return Who(user, name, key_id, address)
