# Sends the files of a pair in several requests, and adds the pair to model 1. With a number as the last argument the
# process kills itself once so many bytes of the audio have arrived; the next run goes on from there.
import os
import signal
import sys

import requests
from tusclient.client import TusClient
from tusclient.storage.filestorage import FileStorage

base, key, audio, transcript, urls = sys.argv[1:6]
stop_at = int(sys.argv[6]) if len(sys.argv) > 6 else None
authorization = {"Authorization": f"Bearer {key}"}
client = TusClient(f"{base}/api/v3/uploads", headers=authorization)


def send(path, stop_at=None):
    upload = client.uploader(
        path,
        chunk_size=1 << 20,
        metadata={"filename": os.path.basename(path)},
        store_url=True,
        url_storage=FileStorage(urls),
        upload_checksum=True,
    )
    print(f"{os.path.basename(path)} from {upload.offset}")
    upload.upload(stop_at=stop_at)
    if stop_at is not None:
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return upload.url.rsplit("/", 1)[1]


pair = {"type": "train", "audio_file": send(audio, stop_at), "transcript_file": send(transcript)}
answer = requests.put(f"{base}/api/v3/custom_models/1/data", json=pair, headers=authorization)
print(answer.status_code, answer.json()["message"])
