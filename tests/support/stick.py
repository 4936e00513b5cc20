# A stick in memory for nbdkit's Python plugin, with faults that are controlled by files in its folder:
#   fail-writes, fail-reads   the number of further calls that succeed; each later call is an input/output error
#   writes, reads             the number of calls since the stick was created
# size=BYTES is the reported size. real=BYTES is the real capacity: bytes written past it are lost and read as zeros
# (past=drop), or overwrite the last half of the real bytes (past=wrap).
import errno
import os

import nbdkit

API_VERSION = 2
settings = {"past": "drop"}
memory = bytearray()
counts = {"writes": 0, "reads": 0}
begun = {}


def thread_model():
    return nbdkit.THREAD_MODEL_SERIALIZE_ALL_REQUESTS


def config(key, value):
    settings[key] = value


def config_complete():
    settings["size"] = int(settings["size"])
    settings["real"] = int(settings.get("real", settings["size"]))
    memory.extend(bytes(settings["real"]))


def open(readonly):
    return 1


def get_size(h):
    return settings["size"]


def can_flush(h):
    return True


def flush(h, flags):
    pass


def count(what):
    counts[what] += 1
    with os.fdopen(os.open(path("new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w") as file:
        file.write(str(counts[what]))
    os.replace(path("new"), path(what))
    try:
        with os.fdopen(os.open(path("fail-" + what), os.O_RDONLY)) as file:
            more = int(file.read() or "0")
    except FileNotFoundError:
        begun.pop(what, None)
        return
    if counts[what] - begun.setdefault(what, counts[what]) >= more:
        nbdkit.set_error(errno.EIO)
        raise OSError(errno.EIO, "requested by the test")


def path(name):
    return os.path.join(settings["folder"], name)


# Splits a range at the end of the real bytes, and yields the place of each part.
def parts(offset, length):
    real, at = settings["real"], 0
    while at < length:
        place = offset + at
        if place < real:
            more = min(length - at, real - place)
            yield at, place, more
        elif settings["past"] == "wrap":
            place = real // 2 + (place - real) % (real - real // 2)
            more = min(length - at, real - place)
            yield at, place, more
        else:
            more = length - at
            yield at, None, more
        at += more


def pread(h, buf, offset, flags):
    count("reads")
    for at, place, length in parts(offset, len(buf)):
        buf[at:at + length] = bytes(length) if place is None else memory[place:place + length]


def pwrite(h, buf, offset, flags):
    count("writes")
    for at, place, length in parts(offset, len(buf)):
        if place is not None:
            memory[place:place + length] = buf[at:at + length]
