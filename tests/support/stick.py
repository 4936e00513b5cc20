# A stick in memory for nbdkit's Python plugin, with the faults that files in its folder ask for:
#   fail-writes, fail-reads   holds a number: so many more calls succeed, then each one is an input/output error
#   writes, reads             holds the number of calls since the stick was made
# size=BYTES is what it says of itself. real=BYTES is what it keeps: what is written past that is lost and reads as zeros
# (past=drop), or lies where the last half of the real bytes lies (past=wrap).
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
        raise OSError(errno.EIO, "asked for")


def path(name):
    return os.path.join(settings["folder"], name)


# Splits a range where the real bytes end, and says where each part lies.
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
