// Sends the files of a pair in several requests, and adds the pair to model 1. With a number as the last argument the
// process kills itself once so many bytes of the audio have been sent; the next run goes on from there.
const fs = require("fs");
const path = require("path");
const tus = require("tus-js-client");

const [base, key, audio, transcript, urls, stopAt] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${key}` };

async function send(file, stopAt) {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(fs.createReadStream(file), {
      endpoint: `${base}/api/v3/uploads`,
      headers,
      chunkSize: 3 << 20,
      retryDelays: null,
      metadata: { filename: path.basename(file) },
      urlStorage: new tus.FileUrlStorage(urls),
      onProgress: (sent) => stopAt && sent >= stopAt && process.kill(process.pid, "SIGKILL"),
      onError: reject,
      onSuccess: () => resolve(upload.url.split("/").pop()),
    });
    upload.findPreviousUploads().then((previous) => {
      console.log(`${path.basename(file)} ${previous.length ? "again" : "anew"}`);
      if (previous.length) upload.resumeFromPreviousUpload(previous[0]);
      upload.start();
    }, reject);
  });
}

async function main() {
  const pair = {
    type: "train",
    audio_file: await send(audio, stopAt && Number(stopAt)),
    transcript_file: await send(transcript),
  };
  const answer = await fetch(`${base}/api/v3/custom_models/1/data`, {
    method: "PUT",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify(pair),
  });
  console.log(answer.status, (await answer.json()).message);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
