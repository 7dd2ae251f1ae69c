# An action proxy of stock's kind, for the tests' image: runs Python source in its own process, with both sentinels.

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from traceback import print_exc

SENTINEL = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX"
action = {}


def end_output():
    for stream in (sys.stdout, sys.stderr):
        print(SENTINEL, file=stream, flush=True)


def init(value):
    os.environ.update(value["env"])
    exec(value.get("code", ""), action)
    return 200, {"ok": True}


def run(request):
    main = action.get("main")
    result = main(request["value"]) if main else {"environment": dict(os.environ)}
    return 200, result


class Proxy(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, answer = init(request["value"]) if self.path == "/init" else run(request)
        except Exception as error:
            print_exc()
            status, answer = 502, {"error": str(error)}
        if self.path == "/run" or status != 200:
            end_output()
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    # The usual one asks DNS for its own name.
    def server_bind(self):
        self.socket.setsockopt(__import__("socket").SOL_SOCKET, __import__("socket").SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.server_address


Server(("0.0.0.0", 8080), Proxy).serve_forever()
