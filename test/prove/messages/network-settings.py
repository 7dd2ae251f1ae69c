import os


def leave(mark):
    found = []
    for folder, _, names in os.walk("/proc/sys/net"):
        found += [attempt("open", os.open, f"{folder}/{name}", os.O_WRONLY) for name in names]
    return found


def read():
    found = {}
    for name in ("ip_local_port_range", "tcp_max_tw_buckets", "tcp_no_metrics_save", "tcp_fastopen", "ip_default_ttl"):
        with open(f"/proc/sys/net/ipv4/{name}") as file:
            found[name] = file.read()
    return found
