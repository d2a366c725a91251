/* Sends the files of a release by the API in parts, shows how far they are, and goes on where it stopped when the
   connection breaks. Without it the form sends them whole. */
(function () {
  "use strict"

  const PART_BYTES = 8 * 1024 * 1024
  const form = document.querySelector("form[data-uploads]")
  if (!form || !window.fetch || !window.crypto) return
  const list = document.getElementById("progress")
  const wait = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000))

  function newKey () {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, "0")).join("")
  }

  /* The answer; throws TypeError when the connection broke, and the refusal's words when the exchange refused. */
  async function ask (method, url, headers, body) {
    const token = form.querySelector("input[name=csrfmiddlewaretoken]").value
    const answer = await fetch(url, {
      method,
      body,
      headers: { "X-CSRFToken": token, Organisation: form.dataset.organisation, ...headers }
    })
    if (answer.ok || answer.status === 409) return answer
    if (answer.status >= 500) throw new TypeError("broken")
    const refusal = await answer.json().catch(() => ({ detail: String(answer.status), next: "" }))
    throw new Error(refusal.detail + " " + refusal.next)
  }

  function row (file) {
    const item = document.createElement("li")
    const bar = document.createElement("progress")
    const words = document.createElement("span")
    item.className = "row"
    bar.max = file.size || 1
    bar.value = 0
    bar.setAttribute("aria-label", file.name)
    words.className = "small soft"
    item.append(Object.assign(document.createElement("code"), { textContent: file.name }), bar, words)
    list.append(item)
    return { bar, words }
  }

  async function send (file) {
    const shown = row(file)
    const headers = { "Content-Type": "application/json", "Idempotency-Key": newKey() }
    const announced = JSON.stringify({ path: file.name, size_bytes: file.size })
    const place = (await ask("POST", form.dataset.uploads, headers, announced)).headers.get("Location")
    let offset = 0
    let pause = 1
    while (offset < file.size) {
      try {
        const part = file.slice(offset, offset + PART_BYTES)
        const octets = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) }
        const answer = await ask("PATCH", place, octets, part)
        offset = answer.status === 409
          ? Number((await ask("HEAD", place, {})).headers.get("Upload-Offset"))
          : Number(answer.headers.get("Upload-Offset"))
        pause = 1
        shown.words.textContent = Math.floor(100 * offset / file.size) + " %"
      } catch (error) {
        if (!(error instanceof TypeError)) {
          shown.words.textContent = error.message
          throw error
        }
        shown.words.textContent = form.dataset.waiting
        await wait(pause)
        pause = Math.min(pause * 2, 30)
        offset = await ask("HEAD", place, {}).then(
          answer => Number(answer.headers.get("Upload-Offset")),
          refused => refused instanceof TypeError ? offset : file.size // it has ended: the page then shows how
        )
      }
      shown.bar.value = offset
    }
    shown.words.textContent = form.dataset.arrived
  }

  form.addEventListener("submit", async event => {
    const input = form.querySelector("input[type=file]")
    if (!input.files.length) return
    event.preventDefault()
    const button = form.querySelector("button")
    button.disabled = true
    list.replaceChildren()
    let refused = 0
    for (const file of input.files) {
      try {
        await send(file)
      } catch (error) {
        refused += 1
        if (!list.lastElementChild || !list.lastElementChild.textContent.includes(error.message)) {
          row(file).words.textContent = error.message
        }
      }
    }
    button.disabled = false
    if (!refused) window.location.reload()
  })
})()
