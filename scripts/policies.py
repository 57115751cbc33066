"""make policies: name the targets of lambdas/shared/targets.yaml in the policies of template.yaml.

Without that file there is the one target that the stack's parameters describe. What lies between the marks is
rewritten, nothing else is touched; `--check` changes nothing and fails where something would change.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from chatops.domain.errors import InvalidConfiguration
from chatops.settings.targets_file import load
from scripts.target_access import (
    ACCESS,
    PARAMETERS,
    Place,
    Statement,
    Unnameable,
    of_boundary,
    of_function,
    of_role,
    places,
    size,
)

ROOT = Path(__file__).resolve().parents[1]
TARGETS = Path("lambdas/shared/targets.yaml")
TEMPLATE, ROLE, BOOTSTRAP = Path("template.yaml"), Path("templates/target-role.yaml"), Path("templates/bootstrap.yaml")
LIMIT = 10_240 - 2_560
"""Characters for a function's targets: IAM takes 10,240 in a role's own policies, a quarter is left for the rest.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

BLOCK = re.compile(
    r"^(?P<indent> *)# (?P<name>\w+): made by `make policies`\n(?P<body>.*?)^(?P=indent)# (?P=name): end$", re.M | re.S
)


class OutOfReach(Exception):
    """The policies cannot be written; the text says why and what to do."""


def render(statements: Iterable[Statement], indent: str) -> str:
    """The statements as they stand in a template."""
    lines: list[str] = []
    for statement in statements:
        if statement.why:
            lines.append(f"# {statement.why}")
        lines += [f"- Sid: {statement.sid}", "  Effect: Allow", *_actions(statement.actions)]
        lines += _resources(statement.resources)
        if statement.condition:
            key, value = statement.condition
            lines += ["  Condition:", f"    StringEquals: {{ {key}: {value} }}"]
    return "".join(f"{indent}{line}\n" for line in lines)


def _actions(actions: tuple[str, ...]) -> list[str]:
    if len(actions) <= 3:
        return [f"  Action: [{', '.join(actions)}]"]
    return ["  Action:", *(f"    - {action}" for action in actions)]


def _resources(resources: tuple[str, ...]) -> list[str]:
    written = [f'!Sub "{each}"' if "${" in each else f'"{each}"' for each in resources]
    if len(written) == 1:
        return [f"  Resource: {written[0]}"]
    return ["  Resource:", *(f"    - {each}" for each in written)]


def rewritten(text: str, blocks: Mapping[str, Iterable[Statement]]) -> str:
    """The template with every marked block as it should be. Raises OutOfReach where a block is missing or unknown."""
    there = [found["name"] for found in BLOCK.finditer(text)]
    if sorted(there) != sorted(blocks):
        raise OutOfReach(f"The marks of `make policies` are {', '.join(there)}; wanted are {', '.join(blocks)}.")

    def fill(found: re.Match[str]) -> str:
        indent, name = found["indent"], found["name"]
        body = render(blocks[name], indent)
        return f"{indent}# {name}: made by `make policies`\n{body}{indent}# {name}: end"

    return BLOCK.sub(fill, text)


def known_places(root: Path) -> tuple[Place, ...]:
    """Of targets.yaml, or of the parameters. Raises InvalidConfiguration and Unnameable."""
    file = root / TARGETS
    if not file.is_file():
        return PARAMETERS
    # Repositories and people's ids have no part in this.
    return places(load(file, {"GITHUB_ID": "unused", "GITHUB_REPO": "unused"}).values())


def filled(root: Path, where: tuple[Place, ...]) -> dict[Path, str]:
    """Every file that has marks, as it should be for targets in these places. Raises OutOfReach."""
    functions = {name: of_function(name, where) for name in ACCESS}
    for name, statements in functions.items():
        if (length := size(statements)) > LIMIT:
            raise OutOfReach(
                f"The policy of {name} would have {length} characters for its targets; {LIMIT} are what IAM leaves "
                f"room for. Give some targets a role of their own (role_arn, made by {ROLE}): that takes one line each."
            )
    roles = {kind: of_role(kind) for kind in ("ecs", "codedeploy")}
    return {
        path: rewritten((root / path).read_text("utf-8"), blocks)
        for path, blocks in ((TEMPLATE, functions), (ROLE, roles), (BOOTSTRAP, {"boundary": of_boundary()}))
    }


def main(arguments: list[str], root: Path = ROOT) -> int:
    try:
        files = filled(root, known_places(root))
    except (InvalidConfiguration, Unnameable, OutOfReach) as problem:
        said = problem.text if isinstance(problem, InvalidConfiguration) else problem
        print(f"make policies: {said}", file=sys.stderr)
        return 1
    changed = [path for path, text in files.items() if (root / path).read_text("utf-8") != text]
    source = str(TARGETS) if (root / TARGETS).is_file() else "the stack's parameters (there is no targets.yaml)"
    if "--check" in arguments:
        for path in changed:
            print(
                f"{path} does not name the targets of {source}: run `make policies` and commit both "
                f"(git add -f {TARGETS}).",
                file=sys.stderr,
            )
        return 1 if changed else 0
    for path in changed:
        (root / path).write_text(files[path], "utf-8")
    names = ", ".join(str(path) for path in changed)
    print(f"Policies are those of {source}: {f'rewrote {names}' if names else 'nothing to change'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
