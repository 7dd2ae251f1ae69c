"""Answers from its environment: init parameters and what OpenWhisk tells every activation."""
import json
import os

STAGE = os.environ.get("STAGE")


def main(params):
    return {
        "stage": STAGE,
        "limits": json.loads(os.environ["LIMITS"]),
        "verbose": os.environ["VERBOSE"],
        "activation": "__OW_ACTIVATION_ID" in os.environ,
        "deadline": int(os.environ.get("__OW_DEADLINE", 0)) > 0,
        "params": sorted(params),
    }
