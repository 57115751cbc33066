"""A Lambda service in small: the functions of template.yaml in processes of their own, behind Lambda's
Invoke API.

`template.load_template` reads what there is, `endpoint.LambdaRuntime` plays it. Nothing is imported here,
for every function's process passes through this package and should stay small.
"""
