"""Starts `segue serve` for tests that are clients of it."""

import pathlib
import shutil
import subprocess
import tempfile


class ServeProgram:
    """A service with one model, "songs": the bundle of tests/golden. Use in a with statement; `port` is where it answers,
    `admin_port` where administrators ask."""

    def __init__(self, root, program, *arguments):
        self._bundle = pathlib.Path(root) / "tests" / "golden" / "bundle_v1.segue"
        self._program = program
        self._arguments = arguments

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        model = pathlib.Path(self._folder.name) / "songs.segue"
        shutil.copy(self._bundle, model)
        command = [self._program, "serve", model, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
        self._child = subprocess.Popen([*command, *self._arguments], stdout=subprocess.PIPE, text=True)
        self.port = self.admin_port = None
        for line in self._child.stdout:
            word, _, address = line.strip().partition(" ")
            if word == "listening":
                self.port = int(address.rsplit(":", 1)[1])
            if word == "admin":
                self.admin_port = int(address.rsplit(":", 1)[1])
                break
        if self.admin_port is None:
            self.__exit__()
            raise RuntimeError("segue serve ended before it listened")
        return self

    def __exit__(self, *_):
        self._child.kill()
        self._child.wait()
        self._child.stdout.close()
        self._folder.cleanup()
