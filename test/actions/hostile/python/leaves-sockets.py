"""Leaves servers listening, a connection to one of them with unread bytes, and one just closed."""
import builtins
import socket


def main(args):
    kept, left = [], []

    def attempt(name, family, kind, address):
        try:
            server = socket.socket(family, kind)
            kept.append(server)
            server.bind(address)
            if kind == socket.SOCK_STREAM:
                server.listen()
                client = socket.socket(family, kind)
                client.connect(address)
                kept.extend((client, server.accept()[0]))
                kept[-1].send(args["marker"].encode())
            left.append(name)
        except OSError:
            pass

    attempt("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 8080))
    attempt("tcp6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 8080))
    attempt("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 8081))
    attempt("abstract", socket.AF_UNIX, socket.SOCK_STREAM, "\0left-abstract")
    attempt("file", socket.AF_UNIX, socket.SOCK_DGRAM, "/tmp/left.sock")
    with socket.create_server(("127.0.0.1", 8082)) as server:
        client = socket.create_connection(server.getsockname())
        server.accept()[0].close()
        client.recv(1)
        client.close()
    builtins.kept = kept
    return {"left": bool(left), "which": left}
