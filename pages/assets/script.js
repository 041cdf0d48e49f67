// What HTML alone cannot do: keys, a signature, a picture shown before it is sent, a code read by the camera.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// One tap sends a form once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = (event.submitter && event.submitter.dataset.confirm) || form.dataset.confirm;
  if (question && !window.confirm(question)) return event.preventDefault();
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  // A page that comes back from the browser's memory can send again.
  setTimeout(() => delete form.dataset.sent, 3000);
});

// `data-sends`: choosing is sending.
document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches("input[type=file]")) preview(field);
  if (field.closest("[data-sends]")) field.form.requestSubmit();
});

// `data-key="2"` on a button or a link: that key presses it, where nobody is typing.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const at = event.target;
  const types = at.matches("textarea, select, input:not([type=radio]):not([type=checkbox]):not([type=file])");
  if (types && !(event.key === "Escape")) return;
  if (types) return at.blur();
  if (event.key === " " && at.matches("button, summary, a, input")) return;
  const wanted = all("[data-key]").find((item) => item.dataset.key === event.key && item.offsetParent !== null);
  if (!wanted) return;
  event.preventDefault();
  if (wanted.matches("input, textarea, select")) { wanted.focus(); if (wanted.select) wanted.select(); } else wanted.click();
});

// A picture is shown before it is sent.
function preview(field) {
  const place = document.getElementById(field.dataset.preview || "");
  if (!place) return;
  place.replaceChildren(...[...field.files].slice(0, 12).map((file) => {
    const picture = new Image();
    picture.className = "picture";
    picture.alt = "";
    picture.src = URL.createObjectURL(file);
    return picture;
  }));
}

// `<canvas class="sign" data-into="ID">`: what is drawn becomes the file of that field when the form is sent.
for (const canvas of all("canvas.sign")) {
  const field = document.getElementById(canvas.dataset.into);
  const pen = canvas.getContext("2d");
  let drawing = false;
  const size = () => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    pen.scale(ratio, ratio);
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    pen.lineWidth = 3;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = "#10202b";
  };
  size();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    drawing = true;
    pen.beginPath();
    pen.moveTo(event.offsetX, event.offsetY);
    pen.lineTo(event.offsetX + 0.1, event.offsetY);
    pen.stroke();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    pen.lineTo(event.offsetX, event.offsetY);
    pen.stroke();
  });
  const up = () => {
    if (!drawing) return;
    drawing = false;
    // At once, not when the browser finds the time: the next tap may already seal the sheet.
    const letters = atob(canvas.toDataURL("image/png").split(",")[1]);
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], "signature.png", { type: "image/png" }));
    field.files = files.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  for (const clear of all("[data-clears='" + canvas.id + "']")) {
    clear.addEventListener("click", () => { size(); field.value = ""; });
  }
}

// `data-scans="ID"`: the camera reads a code into that field; shown only where the browser can.
for (const button of all("[data-scans]")) {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.scans);
    const video = document.createElement("video");
    video.setAttribute("playsinline", "");
    video.className = "picture";
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      return field.focus();
    }
    video.srcObject = stream;
    button.after(video);
    await video.play();
    const detector = new window.BarcodeDetector();
    const stop = () => { stream.getTracks().forEach((track) => track.stop()); video.remove(); };
    const until = Date.now() + 30000;
    const look = async () => {
      if (Date.now() > until || !video.isConnected) return stop();
      const found = await detector.detect(video).catch(() => []);
      if (!found.length) return requestAnimationFrame(look);
      stop();
      field.value = found[0].rawValue;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    };
    look();
  });
}

// `data-filters="ID"`: typing hides the items of that list that do not contain the text.
for (const field of all("[data-filters]")) {
  field.addEventListener("input", () => {
    const words = field.value.trim().toLowerCase();
    for (const item of all("#" + field.dataset.filters + " > *")) {
      item.hidden = words !== "" && !(item.dataset.text || item.textContent).toLowerCase().includes(words);
    }
  });
}

// `data-fresh="/address"`: the piece is fetched anew while somebody looks at the page: at first soon, then every ten seconds.
for (const place of all("[data-fresh]")) {
  const fetched = async () => {
    if (document.hidden || place.contains(document.activeElement)) return;
    const answer = await fetch(place.dataset.fresh, { credentials: "same-origin" }).catch(() => null);
    if (answer && answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(...page.body.childNodes);
    }
  };
  for (const soon of [1000, 3000, 6000]) setTimeout(fetched, soon);
  setInterval(fetched, 10000);
}
