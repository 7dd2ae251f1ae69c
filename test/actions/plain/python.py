"""Runs one Python action once, by OpenWhisk's rules and nothing else; the answer goes to descriptor 3."""
import json
import os
import sys
import traceback


def load(job):
    folder = job["folder"]
    main = os.path.join(folder, "main__.py")
    if "source" in job:
        with open(main, "w", encoding="utf-8") as file:
            file.write(job["source"])
    else:
        os.rename(os.path.join(folder, "__main__.py"), main)
    os.chdir(folder)
    activate = os.path.join(folder, "virtualenv", "bin", "activate_this.py")
    if os.path.exists(activate):
        with open(activate, encoding="utf-8") as file:
            exec(compile(file.read(), activate, "exec"), {"__file__": activate})
    sys.path.insert(0, folder)
    return getattr(__import__("main__"), job["main"])


def answer(job):
    try:
        handler = load(job)
    except Exception as problem:
        traceback.print_exc()
        return {"phase": "init", "failed": str(problem)}
    try:
        return {"phase": "run", "result": handler(job["value"])}
    except Exception as problem:
        traceback.print_exc()
        return {"phase": "run", "result": {"error": str(problem)}}


with open(sys.argv[1], encoding="utf-8") as file:
    outcome = answer(json.load(file))
sys.stdout.flush()
with open(3, "w", encoding="utf-8") as out:
    json.dump(outcome, out, ensure_ascii=False)
os._exit(0)
