"""The variables of a function's process: Lambda's own, the function's, and next to none of the parent's."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from local.runtime.template import REGION, Function
from local.settings import NO_AWS_FILES

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
LOOPBACK = "127.0.0.1,localhost,::1"


def base_environment(parent: Mapping[str, str]) -> dict[str, str]:
    """The little that a function's process inherits from `parent`: where things are, never what it holds.

    The fakes' addresses never go through a proxy. Where there is none, every address is exempt, which
    also keeps macOS from asking its system settings in a forked process (that call crashes there).
    """
    kept = {name: parent[name] for name in PASSED_ON if name in parent}
    proxies = {name: parent[name] for name in PROXIES if name in parent}
    exempt = parent.get("NO_PROXY", parent.get("no_proxy", ""))
    no_proxy = ",".join(filter(None, (exempt, LOOPBACK))) if proxies else "*"
    return {**kept, **proxies, "NO_PROXY": no_proxy, "no_proxy": no_proxy}


def reserved_variables(function: Function) -> dict[str, str]:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, with made-up credentials."""
    return {
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{uuid.uuid4().hex}",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        **NO_AWS_FILES,
        "LAMBDA_TASK_ROOT": str(function.code_dir),
        "_HANDLER": function.handler,
    }
