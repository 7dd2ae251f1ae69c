CALLS = ["shmget", "shmat", "shmctl", "semget", "semop", "semctl", "msgget", "msgsnd", "msgctl"]


def leave(mark):
    number = int(mark[:6], 16)
    return [attempt(call, number, 1, 0o1666, 0, 0) for call in CALLS]


def read():
    found = []
    for kind in ("shm", "sem", "msg"):
        with open(f"/proc/sysvipc/{kind}") as file:
            found.append(file.readlines()[1:])
    return found
