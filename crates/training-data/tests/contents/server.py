"""Serves S3 with moto on a free port of 127.0.0.1, prints the port, and executes commands from standard input.

Commands are a line each, in fields that tabs separate, and are answered by a line. The server ends with its input.
"""

import datetime
import logging
import sys
import threading

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

BUCKET = "data"


def keys(prefix):
    """Returns the keys of the objects below a prefix, relative to it."""
    return sorted(name[len(prefix):] for name in list(bucket.keys) if name.startswith(prefix))


def age(name):
    """Makes an object two hours older."""
    bucket.keys[name].last_modified -= datetime.timedelta(hours=2)


def copy(source, target):
    """Copies the objects below a prefix."""
    for name in keys(source):
        backend.put_object(BUCKET, target + name, bucket.keys[source + name].value)


def delete(name):
    """Removes an object."""
    backend.delete_object(BUCKET, name)


def put(name, text):
    """Puts an object."""
    backend.put_object(BUCKET, name, text.encode())


def uploads(prefix):
    """Returns the number of unfinished multipart uploads below a prefix."""
    return sum(upload.key_name.startswith(prefix) for upload in list(bucket.multiparts.values()))


def alone(act):
    """Puts one object at a time: moto looks at a condition and puts the object in two steps, which S3 does in one."""
    lock = threading.Lock()

    def acting(*arguments, **options):
        with lock:
            return act(*arguments, **options)

    return acting


S3Response.put_object = alone(S3Response.put_object)
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
bucket = backend.create_bucket(BUCKET, "us-east-1")
backend.create_bucket("whole", "us-east-1")
print(server.get_host_and_port()[1], flush=True)
commands = {it.__name__: it for it in (age, copy, delete, keys, put, uploads)}
for line in sys.stdin:
    name, *arguments = line.rstrip("\n").split("\t")
    answer = commands[name](*arguments)
    print("\t".join(answer) if isinstance(answer, list) else answer, flush=True)
