"""Steps about the system: process, threads, children, descriptors, files, sockets."""


# step: the environment
def environment_set(n, m):
    import os
    for i in range(1 + n % 20):
        os.environ[f"LEFT_{i}"] = "x" * m
    os.environ["PYTHONPATH"] = "/tmp"
    os.putenv("LEFT_UNSEEN", "left")
    if m % 2:
        del os.environ["PATH"]


# step: working directory and umask
def place_changed(n, m):
    import os
    import tempfile
    os.umask(m % 512)
    folder = tempfile.mkdtemp() if n % 5 == 4 else ["/tmp", "/", "/dev/shm", "/home/action"][n % 5]
    os.chdir(folder)
    if n % 5 == 4:
        os.rmdir(folder)


# step: threads: asleep, busy, deaf, in a queue
def threads_started(n, m):
    import queue
    import threading
    import time

    def busy():
        while True:
            time.sleep(0)

    lives = [lambda: time.sleep(1000), busy, queue.Queue().get, threading.Event().wait, lambda: None]
    for i in range(1 + n % 4):
        threading.Thread(target=lives[(m + i) % 5], daemon=m % 2 == 0, name=f"left {i}").start()


# step: a timer, a pool of threads, a lock that nobody releases
def threads_pooled(n, m):
    import builtins
    import threading
    from concurrent.futures import ThreadPoolExecutor
    threading.Timer(1000, print).start()
    builtins.pool = ThreadPoolExecutor(1 + n % 4)
    builtins.futures = [builtins.pool.submit(pow, m, i) for i in range(1 + n % 8)]
    builtins.lock = threading.Lock()
    builtins.lock.acquire()
    builtins.local = threading.local()
    builtins.local.left = m


# step slow: an event loop with work left in it
def loop_left(n, m):
    import asyncio
    import builtins

    async def work():
        builtins.task = asyncio.ensure_future(asyncio.sleep(1000))
        await asyncio.sleep(0.001 * (m % 5))

    builtins.loop = asyncio.new_event_loop()
    asyncio.set_event_loop(builtins.loop)
    builtins.loop.run_until_complete(work())
    if n % 2:
        builtins.loop.add_signal_handler(12, print)


# step: handlers for signals
def handlers_set(n, m):
    import signal
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGALRM)[: 1 + n % 5]:
        signal.signal(number, [signal.SIG_IGN, lambda number, frame: None, signal.SIG_DFL][m % 3])
    signal.siginterrupt(signal.SIGUSR1, bool(m % 2))


# step: signals to itself, handled, blocked, waiting
def signals_sent(n, m):
    import os
    import signal
    signal.signal(signal.SIGUSR2, lambda number, frame: None)
    if m % 2:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGUSR1})
    for _ in range(1 + n % 4):
        os.kill(os.getpid(), signal.SIGUSR2)


# step: a descriptor that is told of signals
def wake_up_set(n, m):
    import os
    import signal
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=bool(m % 2))
    signal.signal(signal.SIGWINCH, lambda number, frame: None)
    for _ in range(n % 20):
        signal.raise_signal(signal.SIGWINCH)


# step: interval timers and an alarm
def interval_timers_set(n, m):
    import signal
    signal.setitimer([signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF][n % 3], 60 + m, 1)
    if m % 2:
        signal.alarm(100 + n)


# step slow: children by fork: asleep, busy, dead
def children_forked(n, m):
    import os
    import time
    for i in range(1 + n % 3):
        if os.fork() == 0:
            if (m + i) % 3 == 0:
                os._exit(m % 256)
            while (m + i) % 3 == 1:
                pass
            time.sleep(1000)


# step slow: programs started: asleep, ended, writing, of a session of their own
def programs_started(n, m):
    import builtins
    import subprocess
    commands = [["sleep", "1000"], ["true"], ["sh", "-c", "while :; do echo left; sleep 0.01; done"], ["sh", "-c", "sleep 1000 &"]]
    builtins.program = subprocess.Popen(commands[n % 4], stdin=subprocess.PIPE if m % 2 else None, start_new_session=m % 3 == 0)
    if n % 4 in (1, 3):
        builtins.program.wait()


# step slow: a process of multiprocessing, with its locks, queue and memory
def processes_pooled(n, m):
    import builtins
    import multiprocessing
    import time
    from multiprocessing import shared_memory
    context = multiprocessing.get_context("fork")
    builtins.shared = [context.Lock(), context.Value("i", m), context.Pipe(), shared_memory.SharedMemory(create=True, size=1 + n)]
    if m % 2:
        context.Process(target=time.sleep, args=(1000,), daemon=True).start()


# step: descriptors and their flags
def descriptors_left(n, m):
    import builtins
    import os
    builtins.files = [open("/etc/passwd"), open("/dev/zero", "rb"), os.scandir("/proc/self")]
    for i in range(n % 30):
        os.set_inheritable(os.dup(i % 4), bool(m % 2))
    os.pipe2(os.O_NONBLOCK)
    os.memfd_create("left")
    os.eventfd(m)
    os.set_inheritable(3, bool(m % 2))


# step: files: many, oddly named, linked, in folders
def files_left(n, m):
    import os
    folder = ["/tmp", "/dev/shm", "/home/action"][n % 3]
    for i in range(1 + n % 30):
        with open(f"{folder}/left {i}\n{'n' * (m % 200)}", "w") as file:
            file.write("x" * m)
    os.makedirs(f"{folder}/a/b/c/.d", exist_ok=True)
    os.symlink("/nowhere" if m % 2 else "..", f"{folder}/a/link-{n}-{m}")
    os.mkfifo(f"{folder}/a/fifo-{n}-{m}")
    os.link(f"{folder}/left 0\n{'n' * (m % 200)}", f"{folder}/a/hard-{n}-{m}")
    os.close(os.open(os.fsencode(folder) + b"/\xff\n\x80", os.O_CREAT, 0))


# step: a file mapped, in part, and resized
def file_mapped(n, m):
    import builtins
    import mmap
    file = open(f"/dev/shm/mapped-{m}", "w+b")
    file.truncate(4096 * (1 + n % 16))
    builtins.mapping = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_SHARED if m % 2 else mmap.MAP_PRIVATE)
    builtins.mapping[:4] = b"left"
    if m % 3 == 0:
        builtins.mapping.resize(4096 * (1 + m % 8))


# step: temporary files and folders, named and nameless
def temporaries_left(n, m):
    import builtins
    import tempfile
    builtins.temporaries = [tempfile.TemporaryFile(), tempfile.NamedTemporaryFile(delete=bool(m % 2)), tempfile.TemporaryDirectory(), tempfile.SpooledTemporaryFile(10)]
    for file in builtins.temporaries[:2]:
        file.write(b"x" * n)
    tempfile.tempdir = "/dev/shm"


# step: servers that listen, with connections left
def servers_left(n, m):
    import builtins
    import socket
    server = socket.socket(socket.AF_INET6 if n % 2 and socket.has_ipv6 else socket.AF_INET)
    server.bind(("::1" if server.family == socket.AF_INET6 else "127.0.0.1", 0))
    server.listen()
    client = socket.create_connection(server.getsockname()[:2])
    accepted, _ = server.accept()
    accepted.sendall(b"x" * (1 + m * 20))
    if m % 3 == 1:
        accepted.shutdown(socket.SHUT_WR)
    if m % 3 == 2:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    builtins.sockets = [server, client, accepted]


# step: sockets of the local kind, by name and in pairs
def local_sockets_left(n, m):
    import builtins
    import socket
    builtins.pairs = [socket.socketpair() for _ in range(1 + n % 6)]
    for one, _ in builtins.pairs:
        one.send(b"x" * (1 + m))
    named = socket.socket(socket.AF_UNIX)
    named.bind(f"/tmp/left-{n}-{m}.socket" if m % 2 else f"\0left-{n}-{m}")
    named.listen()
    builtins.named = named


# step: timeouts and defaults of sockets, and a selector
def sockets_set(n, m):
    import builtins
    import selectors
    import socket
    socket.setdefaulttimeout(n)
    builtins.selector = selectors.EpollSelector()
    builtins.selector.register(3, selectors.EVENT_READ, data=m)
    datagrams = socket.socket(type=socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    datagrams.sendto(b"x" * m, datagrams.getsockname())


# step: lines and pieces of lines on stdout and stderr
def output_written(n, m):
    import os
    import sys
    print("left" * (n % 100))
    print("left", n, file=sys.stderr)
    sys.stdout.write(f"no newline {m}")
    if m % 3 == 0:
        os.write(2, bytes([0xFF, 0xFE, n % 256]))


# step: more output than a pipe holds
def output_large(n, m):
    import sys
    sys.stdout.write("0123456789" * (7000 + n * 10) + "\n" * (m % 2))


# step: streams replaced, closed to writers, buffered otherwise
def output_patched(n, m):
    import io
    import sys
    if n % 3 == 0:
        sys.stdout = io.StringIO()
    elif n % 3 == 1:
        sys.stderr = None
    else:
        sys.stdout.reconfigure(line_buffering=False, write_through=bool(m % 2), newline="\r\n", errors="ignore")
    print("left", end="")


# step: memory of its own by ctypes, callbacks, and libraries loaded
def foreign_functions_used(n, m):
    import builtins
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    builtins.callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda value: value + m)
    builtins.buffer = ctypes.create_string_buffer(b"left" * n)
    libc.qsort(builtins.buffer, n, 4, ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda one, other: 0))
    ctypes.set_errno(n)


# step: C code's state by way of ctypes: environment, random numbers, output not yet written
def library_called(n, m):
    import ctypes
    libc = ctypes.CDLL(None)
    libc.setenv(b"LEFT_BY_CTYPES", b"left", 1)
    libc.srand(n)
    libc.printf(b"%d not yet written", m)
    libc.clearenv() if m % 10 == 0 else libc.malloc_trim(0)
