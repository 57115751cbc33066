"""The repository that the fake begins with: acme/checkout-api, v1.0.0 to v1.3.0 and unreleased work."""

from __future__ import annotations

from fakes.github import files
from fakes.github.model import Release, Tag
from fakes.github.repository import Repository

DAY = 86_400.0

#: message, pull request, files, tag of that commit, whether the tag became a release, annotated
HISTORY: tuple[tuple[str, int | None, tuple[str, ...], str, bool, bool], ...] = (
    ("Checkout service with health check", None, ("Dockerfile", "src/app.py"), "v1.0.0", True, False),
    ("Accept gift cards (#12)", 12, ("src/payment.py",), "", False, False),
    ("Round totals half to even (#14)", 14, ("src/totals.py", "tests/test_totals.py"), "v1.1.0", True, False),
    ("Cache exchange rates for a minute (#17)", 17, ("src/rates.py",), "v1.2.0", True, False),
    ("Do not retry declined cards (#19)", 19, ("src/payment.py",), "v1.2.1", False, False),
    ("Bump requests", None, ("requirements.txt",), "v1.2.2", False, False),
    ("Answer 409 to a second capture (#21)", 21, ("src/payment.py", "src/app.py"), "v1.2.3", True, False),
    ("Log the basket's size (#22)", 22, ("src/basket.py",), "", False, False),
    ("Split shipping from tax (#24)", 24, ("src/totals.py", "src/tax.py"), "v1.3.0", True, True),
    ("Draft of loyalty points (#26)", 26, ("src/points.py",), "", False, False),
    ("Name the currency in receipts (#27)", 27, ("src/receipt.py",), "", False, False),
)
PEOPLE = ("dana", "lee", "kim")


def checkout_api(now: float) -> Repository:
    """The repository that tests begin with, as `sample` makes them."""
    return sample("acme/checkout-api", now, files.workflows())


def sample(full_name: str, now: float, content: dict[str, str], number: int = 0) -> Repository:
    """A repository with a commit every second day, the last one yesterday before `now` (epoch). `content`: the files of
    its default branch. `number` tells its id from others'."""
    owner, _, name = full_name.partition("/")
    repository = Repository(owner, name, id=704_218_356 + number)
    repository.files["main"] = content
    for index, (message, pull, changed, tag, released, annotated) in enumerate(HISTORY):
        date = float(int(now - DAY * (1 + 2 * (len(HISTORY) - 1 - index))))
        login = PEOPLE[index % len(PEOPLE)]
        commit = repository.add_commit(message, date, login=login, files=changed, pull=pull)
        if tag:
            repository.tags[tag] = Tag(tag, commit.sha, date, annotated)
        if released:
            number = 151_200_000 + index
            repository.releases.append(Release(number, tag, date, date + 3600, "main", f"* {message}"))
    return repository
