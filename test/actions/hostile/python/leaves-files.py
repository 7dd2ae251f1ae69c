"""Leaves files, folders, links, pipes and odd names wherever it may write."""
import os


def main(args):
    places = []
    for folder in ("/tmp", "/home/action", "/dev/shm", "/var/tmp", "/run", "/dev/mqueue", "/"):
        try:
            deep = os.path.join(folder, "left", "a", "b")
            os.makedirs(deep)
            for name in (".left-hidden", "left/a/b/left\nwith a newline"):
                with open(os.path.join(folder, name), "w") as file:
                    file.write(args["marker"])
            os.symlink("/etc/passwd", os.path.join(folder, "left-link"))
            os.link(os.path.join(folder, ".left-hidden"), os.path.join(folder, "left-twin"))
            os.mkfifo(os.path.join(folder, "left-pipe"))
            os.write(os.open(os.path.join(folder, os.fsdecode(b"left-\xff")), os.O_CREAT | os.O_WRONLY, 0), b"x")
            os.setxattr(os.path.join(folder, ".left-hidden"), "user.left", args["marker"].encode())
        except OSError:
            pass
        if os.path.lexists(os.path.join(folder, ".left-hidden")):
            places.append(folder)
            os.chmod(deep, 0)
    return {"left": bool(places), "places": places}
