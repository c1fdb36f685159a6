"""The other side of process_test.go: reads tasks as lines of JSON and answers each with {"ok": true} or {"error": "…"}."""

import json
import sys


def _say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def browse(url):
    """Shows a page to the resource owner; returns the URI where the browser landed."""
    _say({"open": url})
    return json.loads(sys.stdin.readline())["url"]


def expect(condition, text):
    """The program's own demand."""
    if not condition:
        raise AssertionError(text)


def refused(action, kind, code):
    """Expects that the action fails with the library's own exception, which knows the error code."""
    try:
        action()
    except kind as e:
        expect(e.error == code, f"the error is {e.error!r}, not {code!r}: {e!r}")
        return
    raise AssertionError(f"nothing was refused with {code}")


class Task:
    def __init__(self, line):
        message = json.loads(line)
        self.flow = message["flow"]
        self.mock = message["mock"]
        self.clients = message["clients"]
        self.auth = "post" if self.flow == "post" else message["auth"]  # how the client authenticates
        self.issuer = self.mock["issuer"]
        self.user = self.mock["users"][0]

    def endpoint(self, name):
        return self.mock["endpoints"][name]

    def client(self, part):
        """The registered client that plays a part: web, native, implicit, service, resource."""
        return self.clients[part]


def serve(flows):
    """Does tasks: flows are functions of a Task, by name."""
    for line in sys.stdin:
        task = Task(line)
        try:
            flows[task.flow](task)
            _say({"ok": True})
        except Exception as e:  # the error is the answer
            _say({"error": f"{type(e).__name__}: {e}"})
