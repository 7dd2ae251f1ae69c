"""Sorts and counts lines with the system's own tools, in child processes."""
import os
import subprocess


def main(args):
    text = "\n".join(args["lines"]) + "\n"
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    ordered = subprocess.run(["sort"], input=text, capture_output=True, text=True, check=True, env=environment).stdout
    producer = subprocess.Popen(["printf", "%s", text], stdout=subprocess.PIPE, env=environment)
    counted = subprocess.check_output(["wc", "-l"], stdin=producer.stdout, env=environment)
    producer.stdout.close()
    producer.wait()
    failed = subprocess.run(["/bin/sh", "-c", "exit 3"]).returncode
    return {"lines": ordered.split(), "count": int(counted), "failed": failed, "shell": os.system("true")}
