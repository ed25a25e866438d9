"""Runs a command on a pseudo terminal of 80 columns, as its controlling one, and prints what came where as JSON.

    python3 terminal.py '{"tty": ["out", "err"], "keys": [["text to wait for", "keys to type"]]}' command ...

`tty` says which of its outputs are the terminal ("in" as well), the others are pipes. "\\u0003" is Ctrl-C.
"""

import fcntl, json, os, pty, select, struct, subprocess, sys, termios

plan, command = json.loads(sys.argv[1]), sys.argv[2:]
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))


def lead():
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


def place(name):
    return slave if name in plan["tty"] else subprocess.PIPE


stdin = slave if "in" in plan["tty"] else subprocess.DEVNULL
child = subprocess.Popen(
    command, stdin=stdin, stdout=place("out"), stderr=place("err"), preexec_fn=lead, pass_fds=[slave]
)
os.close(slave)
names = {master: "tty"}
for name, pipe in (("out", child.stdout), ("err", child.stderr)):
    if pipe is not None:
        names[pipe.fileno()] = name
got = {"tty": b"", "out": b"", "err": b""}
keys = plan.get("keys", [])
while names:
    ready, _, _ = select.select(list(names), [], [])
    for file in ready:
        try:
            data = os.read(file, 65536)
        except OSError:
            data = b""  # Linux says that the last of the terminal is gone with an error
        if not data:
            del names[file]
        got[names.get(file, "tty")] += data
    while keys and keys[0][0].encode() in b"".join(got.values()):
        os.write(master, keys.pop(0)[1].encode())
code = child.wait()
print(json.dumps({"code": 128 - code if code < 0 else code, **{k: v.decode() for k, v in got.items()}}))
