"""Anki's collection and its sync server: a note a sheet, added one by one; a first whole upload stands before it."""

import json
import os
import socket
import sys
import time
from pathlib import Path

from anki.collection import Collection

USER, PASSWORD = "device", "bench"
# The fields of all sheets and vouchers, so that each is a field of the note.
FIELDS = (
    "id kind ver branch tech cust start end gps src product brand age fault status barrier country site itype est items "
    "system part action pm cost_aud runhours floc sign photos parts check amt cat date nights note place qr rate sheet "
    "src_date src_from src_to vendor"
).split()


def collection(folder):
    return Collection(str(folder / "collection.anki2"))


def signed_in(col, url):
    return col.sync_login(username=USER, password=PASSWORD, endpoint=url + "/")


def join(folder, url):
    """The first device uploads an empty collection with the note's fields, any other one takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    col = collection(folder)
    first = not (folder.parent / "joined").exists()
    if first:
        model = col.models.new("sheet")
        for name in FIELDS:
            col.models.add_field(model, col.models.new_field(name))
        template = col.models.new_template("card")
        template["qfmt"], template["afmt"] = "{{id}}", "{{fault}}"
        col.models.add_template(model, template)
        col.models.add(model)
    auth = signed_in(col, url)
    out = col.sync_collection(auth, False)
    if out.new_endpoint:
        auth.endpoint = out.new_endpoint
    if out.required != out.NO_CHANGES and out.required != out.NORMAL_SYNC:
        col.close_for_full_sync()
        col.full_upload_or_download(auth=auth, server_usn=None, upload=first)
        col.reopen(after_full_sync=True)
    col.close()
    (folder.parent / "joined").touch()
    return {}


def save(folder, file):
    col = collection(folder)
    model = col.models.by_name("sheet")
    times = []
    with open(file, encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            start = time.perf_counter_ns()
            note = col.new_note(model)
            for name, value in row.items():
                note[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            col.add_note(note, 1)
            times.append((time.perf_counter_ns() - start) // 1000)
    col.close()
    times.sort()
    return {"saves": len(times), "p50_us": times[len(times) // 2], "all_us": sum(times)}


def sync(folder, url):
    col = collection(folder)
    out = col.sync_collection(signed_in(col, url), False)
    if out.required not in (out.NO_CHANGES, out.NORMAL_SYNC):
        sys.exit(f"a whole upload is asked for: {out}")
    col.close()
    return {"round_trips": None}


def count(folder, _none=None):
    col = collection(folder)
    records = col.note_count()
    col.close()
    return {"records": records}


def serve(folder):
    from anki._backend import RustBackend

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ.update(
        SYNC_USER1=f"{USER}:{PASSWORD}", SYNC_BASE=str(folder), SYNC_HOST="127.0.0.1", SYNC_PORT=str(port), RUST_LOG="error"
    )
    # A process of its own: while the server runs no thread of this one has its turn.
    if os.fork() == 0:
        told_once_it_listens(port)
        os._exit(0)
    RustBackend.syncserver()


def told_once_it_listens(port):
    while True:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.01)
    print(f"http://127.0.0.1:{port}", flush=True)


verb, where, *rest = sys.argv[1:]
answer = {"join": join, "save": save, "sync": sync, "count": count, "serve": serve}[verb](Path(where), *rest)
if answer is not None:
    print(json.dumps(answer))
