"""Starting and stopping tasks, each with the event ECS writes about it."""

from __future__ import annotations

from fakes.ecs import names
from fakes.ecs.model import Service, Tasks

EVENTS_KEPT = 100
"""DescribeServices shows the last 100 events of a service."""


def note(service: Service, at: float, text: str) -> None:
    """Add an event, newest first, in ECS's form `(service <name>) <text>`.

    Wording: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
    """
    event = {"id": names.task_id(), "createdAt": at, "message": f"(service {service.name}) {text}"}
    service.events.insert(0, event)
    del service.events[EVENTS_KEPT:]


def launch(service: Service, tasks: Tasks, count: int, at: float) -> None:
    """Start `count` tasks; they are PENDING until `up`."""
    if count <= 0:
        return
    started = [names.task_id() for _ in range(count)]
    tasks.pending += started
    tasks.updated_at = at
    note(service, at, f"has started {count} tasks: {_listed(started)}.")


def up(tasks: Tasks, at: float) -> None:
    """Every pending task runs now."""
    tasks.running += tasks.pending
    tasks.pending = []
    tasks.updated_at = at


def fail_one(service: Service, tasks: Tasks, at: float) -> None:
    """One task that was starting fails its health check and is stopped."""
    task = tasks.pending.pop(0) if tasks.pending else names.task_id()
    tasks.failed += 1
    tasks.updated_at = at
    note(service, at, f"(task {task}) failed container health checks.")
    note(service, at, f"has stopped 1 running tasks: (task {task}).")


def stop(service: Service, groups: list[Tasks], count: int, at: float) -> None:
    """Stop `count` running tasks of these groups, the first group's first, and all that are starting."""
    stopped: list[str] = []
    for tasks in groups:
        tasks.pending = []
        while tasks.running and len(stopped) < count:
            stopped.append(tasks.running.pop(0))
        tasks.desired = len(tasks.running)
        tasks.updated_at = at
    if stopped:
        note(service, at, f"has stopped {len(stopped)} running tasks: {_listed(stopped)}.")


def others(service: Service, tasks: Tasks) -> list[Tasks]:
    """The groups that `tasks` replaces, oldest first."""
    return [group for group in reversed(service.tasks) if group is not tasks]


def running(service: Service) -> int:
    return sum(len(group.running) for group in service.tasks)


def _listed(ids: list[str]) -> str:
    return " ".join(f"(task {task})" for task in ids)
