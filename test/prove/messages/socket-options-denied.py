SOL_SOCKET, CHANNEL = 1, 3
NAMES = {"SO_DONTROUTE": 5, "SO_NO_CHECK": 11, "SO_BINDTODEVICE": 25, "SO_ATTACH_FILTER": 26, "SO_DETACH_FILTER": 27,
    "SO_TIMESTAMPNS": 35, "SO_MARK": 36, "SO_TIMESTAMPING": 37, "SO_RXQ_OVFL": 40, "SO_WIFI_STATUS": 41, "SO_NOFCS": 43,
    "SO_LOCK_FILTER": 44, "SO_SELECT_ERR_QUEUE": 45, "SO_BUSY_POLL": 46, "SO_MAX_PACING_RATE": 47, "SO_INCOMING_CPU": 49,
    "SO_ATTACH_BPF": 50, "SO_ATTACH_REUSEPORT_CBPF": 51, "SO_CNX_ADVICE": 53, "SO_TXTIME": 61, "SO_BINDTOIFINDEX": 62,
    "SO_TIMESTAMPING_NEW": 65, "SO_PREFER_BUSY_POLL": 69, "SO_BUF_LOCK": 72, "SO_RESERVE_MEM": 73, "SO_TXREHASH": 74,
    "SO_RCVMARK": 75, "SO_PASSPIDFD": 76, "SO_RCVPRIORITY": 82, "SO_PASSRIGHTS": 83}


def leave(mark):
    value = put(bytes.fromhex(mark))
    return [attempt("setsockopt", CHANNEL, SOL_SOCKET, number, value, 8) for number in NAMES.values()]


def read():
    found = {}
    for name, number in NAMES.items():
        result = act("getsockopt", CHANNEL, SOL_SOCKET, number, put(bytes(16)), put((16).to_bytes(4, "little"), 256))
        found[name] = word(result) if result < 0 else take(16).hex()
    return found
