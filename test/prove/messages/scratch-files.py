import os

PLACES = ("/tmp", "/home/action", "/dev/shm")


def leave(mark):
    """Files, folders, links, fifos and sockets, in all places; names that need care; one file of no name."""
    for place in PLACES:
        folder = f"{place}/{mark}"
        os.makedirs(f"{folder}/\udcff/" + "deep/" * 50)
        with open(f"{folder}/file", "w") as file:
            file.write(mark)
        os.link(f"{folder}/file", f"{place}/hard")
        os.symlink(folder, f"{place}/soft")
        os.mkfifo(f"{place}/fifo")
        os.mknod(f"{place}/socket", 0o140600)
        os.setxattr(f"{folder}/file", "user.mark", mark.encode())
        os.chmod(folder, 0)
    kept.append(open("/tmp/deleted", "w"))
    kept[-1].write(mark * 1000)
    kept[-1].flush()
    os.unlink("/tmp/deleted")
    return "left"


kept = []


def read():
    space = os.statvfs("/tmp")
    return [*(sorted(set(os.listdir(place)) - {"main__.py"}) for place in PLACES), space.f_bfree, space.f_ffree]
