// SPDX-License-Identifier: Apache-2.0
// The camera of a survival day. It only fills the photo field: without a camera, or without this script, a file does.
"use strict";
(() => {
  const LONGEST = 800; // pixels: a face is known again, and a slow line carries it
  const form = document.querySelector("form[data-camera]");
  document.querySelector("[data-who]")?.focus();
  if (!form) return;
  const [video, image, shoot, field, said] =
    ["video", "img", "[data-shoot]", "input[type=file]", "[data-shot-state]"].map((what) => form.querySelector(what));

  function keep(source, width, height) {
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => {
      const files = new DataTransfer();
      files.items.add(new File([blob], "photo.jpg", { type: "image/jpeg" }));
      field.files = files.files;
      URL.revokeObjectURL(image.src);
      image.src = URL.createObjectURL(blob);
      image.hidden = false;
      video.hidden = true;
      form.dataset.shot = "1";
    }, "image/jpeg", 0.75);
  }

  async function begin() {
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: 1280 }, audio: false });
      await video.play();
      video.hidden = shoot.hidden = false;
    } catch {
      said.textContent = said.dataset.without;
    }
  }

  shoot.addEventListener("click", () => {
    if (video.hidden) { video.hidden = false; image.hidden = true; return; }
    keep(video, video.videoWidth, video.videoHeight);
  });
  // A photo from a file is made as small as one from the camera.
  field.addEventListener("change", async () => {
    if (!field.files.length) return;
    const picture = await createImageBitmap(field.files[0]).catch(() => null);
    if (picture) keep(picture, picture.width, picture.height);
  });
  addEventListener("pagehide", () => video.srcObject?.getTracks().forEach((track) => track.stop()));
  begin();
})();
