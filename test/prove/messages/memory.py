import json


def leave(mark):
    json.left_behind = mark
    return "left"


def read():
    return getattr(json, "left_behind", None)
