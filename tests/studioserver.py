"""A studio in a thread of the tests, with toys in place of the models, and its clients."""

import http.client
import json
import threading
import time
from contextlib import contextmanager
from functools import cached_property
from types import SimpleNamespace

import numpy as np

from afterscene.studio.app import make_app, server_of
from afterscene.studio.work import Worker
from toys import ToyGenerator


class GatedGenerator(ToyGenerator):
    """Waits at an open gate, so that a test decides when a job goes on."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)

    def render(self, pre, damage, *, seed, **how):
        self.entered.release()
        assert self.gate.wait(30)
        return super().render(pre, damage, seed=seed, **how)


class ToyWorker(Worker):
    """Draws and judges without weights."""

    @cached_property
    def generator(self):
        return GatedGenerator()

    @cached_property
    def assessor(self):
        def levels(pre, post, buildings):
            return np.eye(4)[np.zeros(len(buildings), int)]

        return SimpleNamespace(building_levels=levels), "toy"


class AssessingWorker(ToyWorker):
    """Judges with the shipped detector."""

    assessor = Worker.assessor


class Client:
    """What a browser or a script does; ``key=None`` has none."""

    def __init__(self, port, key):
        self.port, self.key = port, key

    def raw(self, method, path, body=None, headers=None):
        """(status, headers, bytes) of a request that is sent exactly as given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        key = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        connection.request(method, path, body=body, headers={**key, **(headers or {})})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.headers), content

    def ask(self, method, path, value=None):
        """(status, JSON value)."""
        body = None if value is None else json.dumps(value)
        status, _, content = self.raw(method, path, body, {"Content-Type": "application/json"})
        return status, json.loads(content)

    def got(self, method, path, value=None):
        """The JSON value of a request that must succeed."""
        status, found = self.ask(method, path, value)
        assert status == 200, found
        return found

    def send(self, name, content):
        from urllib.parse import quote

        status, _, answer = self.raw("POST", f"/api/uploads?name={quote(name)}", content)
        return status, json.loads(answer)

    def draw(self, scene, **wish):
        asked = {"kind": "aftermath", "scene": scene, "hazard": "wind", **wish}
        return self.got("POST", "/api/jobs", asked)

    def until(self, job, *states):
        for _ in range(600):
            now = self.got("GET", f"/api/jobs/{job['id']}")
            if now["state"] in states:
                return now
            time.sleep(0.05)
        raise AssertionError(now)


@contextmanager
def running(root, made=ToyWorker, folders=(), pages=()):
    """A studio over a folder: ``(client, worker)``."""
    import socket

    workers = []

    def keep(store):
        workers.append(made(store))
        return workers[0]

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        guard = make_app(root, port, keep, folders, pages)
        server = server_of(guard)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        client = Client(port, guard.token)
        try:
            yield client, workers[0]
        finally:
            server.should_exit = True
            thread.join(20)
