"""Looks at an installation from the outside, changes nothing, and says for each fault what to do.

    make doctor                        the environment's variables
    make doctor STACK=platform-deploy  what is deployed, read with the caller's rights on AWS
    make doctor LOCAL=1                the local run, whose external services are fakes; FAULT=name switches a fault on

`installation` says where settings come from, `far` is all that is ever asked of others, `checks` holds one module for
each question, `runner` asks them all, `show` prints.
"""
