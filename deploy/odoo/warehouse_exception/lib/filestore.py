"""Files of a store that names each by the SHA-1 of its content, there whole or not at all.

Odoo writes such a file in place. What a full disk or a power failure cut off stays under the name, and the right bytes
are refused ever after, as if two contents had one hash.
"""

import hashlib
import os
import uuid


def lay(path, data, durable):
    """Let the file at `path` hold `data`: None if it did, "new" if it was made, "mended" if it was damaged.

    Damaged is a file whose content has not the hash that is its name; whoever uses it gets back what was meant. A
    file that has it and is another one all the same is left alone. If this raises OSError, `path` is as it was.
    """
    found = _content(path)
    if found is None or (found != data and hashlib.sha1(found).hexdigest() != os.path.basename(path)):
        _replace(path, data, durable)
        return "new" if found is None else "mended"
    if durable:
        with open(path, "r+b") as file:
            os.fsync(file.fileno())
    return None


def _content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _replace(path, data, durable):
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    # A name of its own: two requests may bring the same bytes at the same time.
    beside = f"{path}-{uuid.uuid4().hex}"
    try:
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError:
        _remove(beside)
        raise
    if durable:
        _sync_folder(folder)
        _sync_folder(os.path.dirname(folder))


def _remove(path):
    try:
        os.unlink(path)
    except OSError:
        return  # it could not even be made


def _sync_folder(path):
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows writes names through
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
