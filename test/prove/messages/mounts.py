def leave(mark):
    kind, folder, other = put(b"tmpfs\0"), put(b"/tmp\0", 64), put(b"/dev/shm\0", 128)
    attributes = put(bytes(32), 256)
    return [
        attempt("mount", kind, folder, kind, 0, 0),
        attempt("umount2", folder, 2),
        attempt("open_tree", -100, folder, 0),
        attempt("open_tree", -100, folder, 1),
        attempt("open_tree_attr", -100, folder, 0, attributes, 32),
        attempt("move_mount", -100, folder, -100, other, 0),
        attempt("fsopen", kind, 0),
        attempt("fspick", -100, folder, 0),
        attempt("mount_setattr", -100, folder, 0, attributes, 32),
    ]


def read():
    return [line.split(" ")[4:6] for line in open("/proc/self/mountinfo")]
